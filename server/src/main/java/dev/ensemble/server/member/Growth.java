package dev.ensemble.server.member;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.tree.Tree;

import java.util.ArrayList;
import java.util.List;

/// What a leader does not take while no quorum has space on its disks (`safety.md` 13).
///
/// Deletes and the ends of sessions pass, since they are how people free space, and so do new
/// sessions, since whoever wants to delete needs one.
final class Growth {
    /// The one code of all such refusals: ZooKeeper's for "there is no more room for this".
    static final Code CODE = Code.QUOTA_EXCEEDED;

    private Growth() {}

    /// {@return the transaction, or its refusal if it makes data grow}
    static Txn refused(Txn txn, Tree outlook) {
        if (!grows(txn, outlook)) {
            return txn;
        }
        return txn instanceof Txn.Multi(List<Txn> parts)
                ? refused(parts, outlook)
                : new Txn.Refused(CODE);
    }

    private static Txn refused(List<Txn> parts, Tree outlook) {
        var codes = new ArrayList<Code>(parts.size());
        boolean failed = false;
        for (Txn part : parts) {
            if (failed) {
                codes.add(Code.RUNTIME_INCONSISTENCY);
            } else {
                failed = grows(part, outlook);
                codes.add(failed ? CODE : Code.OK);
            }
        }
        return new Txn.RefusedMulti(codes);
    }

    private static boolean grows(Txn txn, Tree outlook) {
        return switch (txn) {
            case Txn.Create _ -> true;
            case Txn.SetData(String path, byte[] data, int _) ->
                    length(data) > length(outlook.data(path));
            case Txn.Multi(List<Txn> parts) ->
                    parts.stream().anyMatch(part -> grows(part, outlook));
            case Txn.Delete _,
                    Txn.SetAcl _,
                    Txn.Check _,
                    Txn.Refused _,
                    Txn.RefusedMulti _,
                    Txn.CreateSession _,
                    Txn.AttachSession _,
                    Txn.CloseSession _,
                    Txn.Configure _ ->
                    false;
        };
    }

    private static int length(byte @org.jspecify.annotations.Nullable [] data) {
        return data == null ? 0 : data.length;
    }
}
