package dev.ensemble.server.net;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.timeout.IdleStateHandler;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Sends a tree to a learner that asks for it on a second connection: in chunks, no more than the
/// learner has room for.
///
/// The tree never changes, so writes go on meanwhile. Encoding happens on a thread for each
/// transfer; the link thread only passes chunks on.
public final class SnapshotSender implements Links.SnapshotServer {
    /// Who keeps the trees that were promised.
    public interface Trees {
        /// {@return the tree that `myid` was told to fetch by the leader of `epoch`; null if there
        /// is none, any more. Link thread}
        @Nullable Tree promised(int myid, long epoch, long zxid);

        /// The last chunk has been handed to the network. Any thread.
        void sent(int myid);
    }

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotSender.class);
    private static final int CHUNK_BYTES = 256 << 10;
    private static final int SILENT_SECONDS = 10;

    /// Transfers at once; others are asked to come back.
    private static final int MAX_TRANSFERS = 8;

    private final long incarnation;
    private final Trees trees;
    private final AtomicInteger transfers = new AtomicInteger();

    public SnapshotSender(long incarnation, Trees trees) {
        this.incarnation = incarnation;
        this.trees = trees;
    }

    @Override
    public void serve(Channel channel, int myid, long epoch, PeerProto.Fetch fetch) {
        Tree tree = trees.promised(myid, epoch, fetch.getZxid());
        if (tree == null) {
            refuse(
                    channel,
                    String.format(
                            "no snapshot of %s for member %d in epoch %d",
                            Zxid.text(fetch.getZxid()), myid, epoch));
        } else if (transfers.get() >= MAX_TRANSFERS) {
            refuse(channel, MAX_TRANSFERS + " snapshots are being sent already");
        } else {
            transfers.incrementAndGet();
            var transfer =
                    new Transfer(channel, epoch, tree, fetch.getCredit(), fetch.getFromChunk());
            channel.pipeline().remove(IdleStateHandler.class);
            channel.pipeline().replace(LinkConnection.class, "credit", transfer);
            Thread.ofPlatform()
                    .name("snapshot-to-" + myid)
                    .daemon()
                    .start(() -> run(transfer, myid));
        }
    }

    private static void refuse(Channel channel, String reason) {
        LOG.atInfo().addKeyValue("reason", reason).log("snapshot refused");
        Frame refused =
                Frame.newBuilder()
                        .setRefused(PeerProto.Refused.newBuilder().setReason(reason))
                        .build();
        var _ = channel.writeAndFlush(refused).addListener(ChannelFutureListener.CLOSE);
    }

    private void run(Transfer transfer, int myid) {
        try {
            LOG.atInfo()
                    .addKeyValue("peer", myid)
                    .addKeyValue("zxid", Zxid.text(transfer.tree.zxid()))
                    .log("sending a snapshot");
            transfer.send();
            trees.sent(myid);
            LOG.atInfo()
                    .addKeyValue("peer", myid)
                    .addKeyValue("chunks", transfer.number)
                    .addKeyValue("changes", transfer.total)
                    .log("snapshot sent");
        } catch (Stopped e) {
            LOG.atWarn().addKeyValue("peer", myid).log("snapshot not sent: {}", e.getMessage());
            var _ = transfer.channel.close();
        } finally {
            transfers.decrementAndGet();
        }
    }

    /// The learner is gone or has stopped listening.
    private static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1;

        Stopped(String reason) {
            super(reason, null, false, false);
        }
    }

    /// Encodes on its own thread; takes credit on the link thread.
    private final class Transfer extends SimpleChannelInboundHandler<Frame> {
        private final Channel channel;
        private final long epoch;
        private final Tree tree;
        private final Semaphore credit;

        /// The learner has those in front of it. The same tree makes the same chunks.
        private final long from;

        private PeerProto.Changes.Builder changes = PeerProto.Changes.newBuilder();
        private int bytes;
        private long number;
        private long total;

        Transfer(Channel channel, long epoch, Tree tree, int credit, long from) {
            super(Frame.class);
            this.channel = channel;
            this.epoch = epoch;
            this.tree = tree;
            this.from = from;
            this.credit = new Semaphore(Math.clamp(credit, 0, 1024));
        }

        void send() {
            tree.diff(null, this::add);
            chunk(true);
        }

        private void add(StateChange change) {
            PeerProto.Change encoded = SnapshotCodec.encode(change);
            int size = encoded.getSerializedSize();
            if (bytes > 0 && bytes + size > CHUNK_BYTES) {
                chunk(false);
            }
            changes.addChanges(encoded);
            bytes += size;
            total++;
        }

        private void chunk(boolean last) {
            if (number < from && !last) {
                number++;
                changes = PeerProto.Changes.newBuilder();
                bytes = 0;
                return;
            }
            byte[] encoded = changes.build().toByteArray();
            changes = PeerProto.Changes.newBuilder();
            bytes = 0;
            PeerProto.Chunk.Builder chunk =
                    PeerProto.Chunk.newBuilder()
                            .setNumber(number++)
                            .setChanges(LinkCodec.wrap(encoded))
                            .setCrc(SnapshotCodec.crc(encoded));
            if (last) {
                chunk.setTotal(total);
            }
            await();
            var _ =
                    channel.writeAndFlush(
                            Frame.newBuilder()
                                    .setIncarnation(incarnation)
                                    .setEpoch(epoch)
                                    .setChunk(chunk)
                                    .build());
        }

        private void await() {
            try {
                if (!credit.tryAcquire(SILENT_SECONDS, TimeUnit.SECONDS)) {
                    throw new Stopped("no credit for " + SILENT_SECONDS + " s");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Stopped("interrupted");
            }
            if (!channel.isActive()) {
                throw new Stopped("the connection was closed");
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, Frame frame) {
            int more = frame.getCredit().getChunks();
            if (!frame.hasCredit() || more < 1 || more > 1024) {
                throw new IllegalArgumentException("no credit but " + frame.getBodyCase());
            }
            credit.release(more);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            credit.release(1); // So that it does not wait for more.
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            var _ = channel.close();
        }
    }
}
