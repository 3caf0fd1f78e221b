package dev.ensemble.server.tool.cli;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;

import java.util.ArrayList;
import java.util.List;

/// ACLs as text, `scheme:id:perms,scheme:id:perms...`, and as `getAcl` prints them.
final class Acls {
    private static final String LETTERS = "cdrwa";
    private static final int[] BITS = {Acl.CREATE, Acl.DELETE, Acl.READ, Acl.WRITE, Acl.ADMIN};

    private Acls() {}

    static List<Acl> parse(String text) throws WrongUsage {
        var acls = new ArrayList<Acl>();
        for (String entry : text.split(",", -1)) {
            int first = entry.indexOf(':');
            int last = entry.lastIndexOf(':');
            if (first < 0 || first == last) {
                throw new WrongUsage(entry + " does not have the form scheme:id:perm");
            }
            acls.add(
                    new Acl(
                            perms(entry.substring(last + 1)),
                            new Id(entry.substring(0, first), entry.substring(first + 1, last))));
        }
        return acls;
    }

    private static int perms(String text) throws WrongUsage {
        int perms = 0;
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            int index = LETTERS.indexOf(letter);
            if (index < 0) {
                throw new WrongUsage("Unknown perm type: " + letter + "; they are " + LETTERS);
            }
            perms |= BITS[index];
        }
        return perms;
    }

    /// {@return two lines for each entry}
    static List<String> lines(List<Acl> acls) {
        var lines = new ArrayList<String>();
        for (Acl acl : acls) {
            lines.add("'" + acl.id().scheme() + ",'" + acl.id().id());
            var perms = new StringBuilder();
            for (int i = 0; i < BITS.length; i++) {
                if ((acl.perms() & BITS[i]) != 0) {
                    perms.append(LETTERS.charAt(i));
                }
            }
            lines.add(": " + perms);
        }
        return lines;
    }
}
