package dev.ensemble.server.node;

import dev.ensemble.server.auth.Proof;
import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.List;

/// Who may do more than look on the admin port: an identity that has every permission on the root.
final class AdminIdentity {
    private static final int[] ALL = {Acl.READ, Acl.WRITE, Acl.CREATE, Acl.DELETE, Acl.ADMIN};

    private AdminIdentity() {}

    /// {@return why the request is refused, null if its identity may do everything with the root}
    static HttpServer.@Nullable Response refusal(
            Observed observed, HttpServer.Request request, String command) {
        String header = request.authorization();
        if (header == null || header.isBlank()) {
            return failure(401, command, "Auth info is missing for the command");
        }
        String[] parts = header.strip().split("\\s+", 2);
        byte @Nullable [] auth =
                parts.length < 2 ? null : parts[1].getBytes(StandardCharsets.UTF_8);
        Schemes schemes = observed.parts().schemes();
        Id remote = Schemes.remote(request.remote().getAddress());
        if (!(schemes.authenticate(parts[0], auth, remote, request.certificate())
                        instanceof Proof.Proved(List<Id> identities))
                || identities.isEmpty()) {
            return failure(401, command, "Not authenticated");
        }
        List<Acl> acl = observed.parts().clients().tree().acl("/");
        for (int perm : ALL) {
            if (acl != null && !schemes.permits(acl, perm, identities)) {
                return failure(403, command, "Not authorized");
            }
        }
        return null;
    }

    static HttpServer.Response failure(int status, String command, String error) {
        return new HttpServer.Response(
                status,
                "application/json",
                new Json().put("command", command).put("error", error) + "\n");
    }
}
