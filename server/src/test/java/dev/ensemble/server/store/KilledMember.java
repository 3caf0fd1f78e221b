package dev.ensemble.server.store;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import java.nio.file.Path;

/// The child of [KillIT]: writes as fast as its disk allows, says what is on disk, and waits for
/// its end.
final class KilledMember {
    static final StoreOptions OPTIONS =
            new StoreOptions(64 << 10, 8 << 10, 8 << 10, 64, new StoreOptions.Tail(1, 0, 0), 2);

    private static final TxnCodec CODEC = new TxnCodec();

    /// As of the last transaction that was ordered.
    private static volatile Tree newest = Tree.initial();

    private KilledMember() {}

    /// {@return the transaction of that number, the same in every process}
    static Payload payload(long counter) {
        return CODEC.encode(
                new Header(0, 1, 1, counter, counter),
                new Txn.Create("/n" + counter, new byte[(int) (counter * 37 % 500)], Acl.OPEN, 0));
    }

    /// {@return the tree with one more transaction}
    static Tree next(Tree tree, long counter) {
        Payload payload = payload(counter);
        return tree.apply(Zxid.of(1, counter), payload.header(), payload.txn()).tree();
    }

    public static void main(String[] args) throws Exception {
        Store store = Store.open(Path.of(args[0]), 1, HashKey.KNOWN, OPTIONS);
        Recovered found = store.recovered();
        LogWriter log =
                store.startLog(
                        new LogWriter.Listener() {
                            @Override
                            public void persisted(long ticket) {
                                // One write to the pipe for each line: a line that the parent reads
                                // was true.
                                System.out.print(ticket + "\n");
                                System.out.flush();
                            }

                            @Override
                            public void failed(Throwable cause) {
                                cause.printStackTrace();
                                Runtime.getRuntime().halt(3);
                            }
                        });
        Thread.ofPlatform()
                .daemon()
                .start(() -> {
                    try {
                        while (true) {
                            Tree tree = newest;
                            if (tree.zxid() <= log.synced()) {
                                store.flush(tree);
                            }
                        }
                    } catch (Exception e) {
                        e.printStackTrace();
                        Runtime.getRuntime().halt(4);
                    }
                });
        log.submit(0, new DiskOp.Epochs(1, 1));
        Tree tree = found.tree();
        for (LogEntry entry : found.log()) {
            if (entry.zxid() > found.committed()) {
                tree = next(tree, Zxid.counter(entry.zxid()));
            }
        }
        for (long i = Zxid.counter(found.logEnd()) + 1; ; i++) {
            log.submit(i, new DiskOp.Append(Zxid.of(1, i), payload(i), tree.zxid()));
            tree = next(tree, i);
            newest = tree;
        }
    }
}
