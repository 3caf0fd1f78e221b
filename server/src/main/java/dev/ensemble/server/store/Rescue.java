package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A person's decision to go on without a quorum: one member's data is the ensemble's from now on,
/// and no other's. Each disk carries it out once.
///
/// @param id of this decision, never used twice
/// @param survivor myid of the member whose data stays
/// @param zxid the end of that member's log as the person saw it: a disk that ends before it is not
///   the one that was meant
public record Rescue(String id, int survivor, long zxid) {
    static final TextFile FILE = new TextFile("recovery");
    private static final String ID = "id";
    private static final Pattern TEXT =
            Pattern.compile("([A-Za-z0-9._-]{1,100}),([0-9]{1,3}),0x([0-9a-f]{1,16})");

    /// {@return the decision that `ID,MYID,0xZXID` stands for}
    ///
    /// @throws IllegalArgumentException if it is none
    public static Rescue of(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' must be ID,MYID,0xZXID, such as 2026-01-31.orders,3,0x200000017");
        }
        return new Rescue(
                parts.group(1),
                Integer.parseInt(parts.group(2)),
                Long.parseUnsignedLong(parts.group(3), 16));
    }

    /// {@return the id of the decision that this disk carried out last; empty if it did none}
    static String done(Disk disk) throws IOException {
        return disk.exists(FILE.name()) ? FILE.text(FILE.read(disk), ID) : "";
    }

    void markDone(Disk disk) throws IOException {
        FILE.write(disk, Map.of(ID, id));
    }

    /// {@return why the survivor's disk cannot be what the person saw, or null if it can}
    @Nullable String objection(Recovered found) {
        if (Long.compareUnsigned(found.logEnd(), zxid) < 0) {
            return "its log ends at "
                    + Zxid.text(found.logEnd())
                    + ", before "
                    + Zxid.text(zxid)
                    + ", which the recovery was decided by";
        }
        return found.tree().ensemble().members().containsKey(survivor)
                ? null
                : "it is no member of the configuration that it holds";
    }
}
