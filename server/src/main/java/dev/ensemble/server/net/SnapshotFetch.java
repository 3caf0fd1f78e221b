package dev.ensemble.server.net;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.tls.PeerTls;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.zab.Hello;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Fetches a snapshot from the leader, on a connection and a thread of its own.
///
/// What has arrived is worth nothing before [#run] has returned: then it was all of it, in order
/// and undamaged.
public final class SnapshotFetch implements AutoCloseable {
    /// Takes the state, piece by piece.
    public interface Sink {
        void accept(StateChange change) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotFetch.class);
    private static final int CREDIT = 16;
    private static final int CONNECT_MILLIS = 2000;
    private static final int SILENT_MILLIS = 10_000;
    private static final int ATTEMPTS = 5;
    private static final int PAUSE_MILLIS = 200;

    private final Links.Address addresses;
    private final Hello self;
    private final int leader;
    private final long epoch;
    private final long zxid;
    private final int maxFrameBytes;
    private final PeerTls tls;

    private final int attempts;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable Socket socket;

    private long expected;
    private long total;

    /// How many connections were tried: of several addresses each in turn.
    private int tried;

    /// @param self what to say in the hello
    /// @param zxid the state to fetch
    public SnapshotFetch(
            Links.Address address,
            Hello self,
            int leader,
            long epoch,
            long zxid,
            int maxFrameBytes) {
        this(address, self, leader, epoch, zxid, maxFrameBytes, PeerTls.NONE);
    }

    /// @param self what to say in the hello
    /// @param zxid the state to fetch
    /// @param tls what to speak with the leader
    public SnapshotFetch(
            Links.Address address,
            Hello self,
            int leader,
            long epoch,
            long zxid,
            int maxFrameBytes,
            PeerTls tls) {
        this(address, self, leader, epoch, zxid, maxFrameBytes, tls, ATTEMPTS);
    }

    /// @param attempts in a row that bring nothing before it gives up
    SnapshotFetch(
            Links.Address address,
            Hello self,
            int leader,
            long epoch,
            long zxid,
            int maxFrameBytes,
            PeerTls tls,
            int attempts) {
        this.attempts = attempts;
        this.addresses = address;
        this.self = self;
        this.leader = leader;
        this.epoch = epoch;
        this.zxid = zxid;
        this.maxFrameBytes = maxFrameBytes;
        this.tls = tls;
    }

    /// Fetches it all. Waits; [#close] ends that. If a connection breaks, the next one goes on
    /// where it ended, as long as the leader is the same in the same epoch.
    ///
    /// @throws IOException if the leader will not or cannot, something was damaged, or the sink
    ///   failed
    public void run(Sink sink) throws IOException {
        int left = attempts;
        while (true) {
            long before = expected;
            try (var connected = new Socket()) {
                socket = connected;
                if (closed.getCount() == 0) {
                    throw new Final("closed", null);
                }
                attempt(connected, sink);
                return;
            } catch (Final e) {
                throw e;
            } catch (IOException e) {
                left = expected > before ? attempts : left;
                if (--left <= 0 || waitAndSeeIfClosed()) {
                    throw e;
                }
                LOG.atInfo()
                        .addKeyValue("chunks", expected)
                        .log("the connection for a snapshot broke, once more: {}", e.toString());
            }
        }
    }

    /// What no other connection would make better.
    private static final class Final extends IOException {
        private static final long serialVersionUID = 1;

        Final(@Nullable String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    private boolean waitAndSeeIfClosed() throws IOException {
        try {
            return closed.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Final("interrupted", e);
        }
    }

    private void attempt(Socket connected, Sink sink) throws IOException {
        List<Links.Address> all = addresses.all();
        Links.Address address = all.get(tried % all.size());
        tried++;
        connected.connect(new InetSocketAddress(address.host(), address.port()), CONNECT_MILLIS);
        connected.setSoTimeout(SILENT_MILLIS);
        connected.setTcpNoDelay(true);
        Socket secured = tls.dial(connected, claim(address));
        var out = new DataOutputStream(secured.getOutputStream());
        var in = new DataInputStream(new BufferedInputStream(secured.getInputStream(), 1 << 16));
        write(
                out,
                frame().setFetch(
                                PeerProto.Fetch.newBuilder()
                                        .setHello(LinkCodec.hello(self, leader, 0))
                                        .setZxid(zxid)
                                        .setCredit(CREDIT)
                                        .setFromChunk(expected)));
        Frame credit = frame().setCredit(PeerProto.Credit.newBuilder().setChunks(1)).build();
        while (!take(read(in), sink)) {
            write(out, credit.toBuilder());
        }
    }

    /// Ends [#run] with an exception. Any thread.
    @Override
    public void close() throws IOException {
        closed.countDown();
        Socket open = socket;
        if (open != null) {
            open.close();
        }
    }

    private PeerTls.Claim claim(Links.Address address) {
        return new PeerTls.Claim(leader, self.plainEnsembleId(), address.host(), List.of());
    }

    private Frame.Builder frame() {
        return Frame.newBuilder().setIncarnation(self.incarnation()).setEpoch(epoch);
    }

    /// {@return whether this was the last one}
    private boolean take(Frame frame, Sink sink) throws IOException {
        switch (frame.getBodyCase()) {
            case REFUSED -> throw new Final("refused: " + frame.getRefused().getReason(), null);
            case CHUNK -> {}
            default -> throw new Final("no chunk but " + frame.getBodyCase(), null);
        }
        PeerProto.Chunk chunk = frame.getChunk();
        if (chunk.getNumber() != expected || frame.getEpoch() != epoch) {
            throw new Final("chunk " + chunk.getNumber() + " where " + expected + " is next", null);
        }
        List<StateChange> changes;
        try {
            changes = SnapshotCodec.decode(chunk);
        } catch (IllegalArgumentException e) {
            throw new Final(e.getMessage(), e);
        }
        for (StateChange change : changes) {
            store(change, sink);
        }
        expected++;
        total += changes.size();
        if (!chunk.hasTotal()) {
            return false;
        }
        boolean ended =
                !changes.isEmpty()
                        && changes.getLast() instanceof StateChange.At(long at)
                        && at == zxid;
        if (chunk.getTotal() != total || !ended) {
            throw new Final(
                    String.format(
                            "%d changes where %d were sent, the last of them not the end of %s",
                            total, chunk.getTotal(), Zxid.text(zxid)),
                    null);
        }
        return true;
    }

    private static void store(StateChange change, Sink sink) throws IOException {
        try {
            sink.accept(change);
        } catch (IOException e) {
            throw new Final(e.getMessage(), e); // Nobody knows how much of the chunk it has.
        }
    }

    private static void write(DataOutputStream out, Frame.Builder builder) throws IOException {
        Frame frame = builder.build();
        byte[] bytes = new byte[Integer.BYTES + frame.getSerializedSize()];
        java.nio.ByteBuffer.wrap(bytes).putInt(frame.getSerializedSize()).put(frame.toByteArray());
        out.write(bytes);
        out.flush();
    }

    private Frame read(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > maxFrameBytes) {
            throw new IOException(
                    "a frame of " + length + " bytes, where " + maxFrameBytes + " is the limit");
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return Frame.parseFrom(bytes);
    }
}
