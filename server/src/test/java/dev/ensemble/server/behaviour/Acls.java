package dev.ensemble.server.behaviour;

import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Lists of who may do what, and who proves to be whom.
final class Acls {
    static final List<ACL> OPEN = ZooDefs.Ids.OPEN_ACL_UNSAFE;

    /// Of the user `u` with the password `p`.
    static final String U = "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=";

    /// Of the user `super` with the password `test`.
    static final String SUPER_DIGEST = "D/InIHSb7yEEbrWz8b9l71RjZJU=";

    private Acls() {}

    static List<ACL> of(int perms, String scheme, String id) {
        // The stock client looks for null in it, which an immutable list does not allow.
        return new ArrayList<>(List.of(new ACL(perms, new Id(scheme, id))));
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
