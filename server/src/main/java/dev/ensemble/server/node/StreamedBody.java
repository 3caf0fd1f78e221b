package dev.ensemble.server.node;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpChunkedInput;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.stream.ChunkedInput;
import io.netty.handler.stream.ChunkedWriteHandler;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A body that one thread writes while the server's thread sends it: a few pieces wait in between,
/// and whoever writes waits for whoever reads.
///
/// It ends with the connection: an end that is too early must show in the content.
final class StreamedBody implements ChunkedInput<ByteBuf> {
    private static final Logger LOG = LoggerFactory.getLogger(StreamedBody.class);
    private static final int PIECE_BYTES = 64 << 10;
    private static final int PIECES = 16;
    private static final int LOOK_MILLIS = 100;

    private final ArrayBlockingQueue<byte[]> pieces = new ArrayBlockingQueue<>(PIECES);
    private volatile boolean written;
    private volatile boolean closed;
    private volatile @Nullable IOException failure;
    private long sent;

    private StreamedBody() {}

    static void send(
            ChannelHandlerContext context, HttpServer.Response response, HttpServer.Source source) {
        var http =
                new DefaultHttpResponse(
                        HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(response.status()));
        http.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, response.contentType())
                .set(HttpHeaderNames.CACHE_CONTROL, "no-store");
        HttpUtil.setKeepAlive(http, false);
        var body = new StreamedBody();
        var writer = new ChunkedWriteHandler();
        context.pipeline().addBefore(context.name(), null, writer);
        context.channel().closeFuture().addListener(_ -> body.closed = true);
        var _ = context.write(http);
        var sent = context.writeAndFlush(new HttpChunkedInput(body));
        var _ = sent.addListener(ChannelFutureListener.CLOSE);
        Thread.ofPlatform()
                .name("admin-stream")
                .daemon()
                .start(() -> body.run(source, writer::resumeTransfer));
    }

    private void run(HttpServer.Source source, Runnable more) {
        try (var out = new BufferedOutputStream(new Pieces(more), PIECE_BYTES)) {
            source.writeTo(out);
            out.flush();
            written = true;
        } catch (IOException e) {
            if (!closed) {
                LOG.atError().setCause(e).log("what is sent over HTTP could not be written");
            }
            failure = e;
        } catch (RuntimeException | Error e) {
            failure = new IOException(e);
            throw e;
        } finally {
            source.ended();
            more.run();
        }
    }

    private final class Pieces extends OutputStream {
        private final Runnable more;

        Pieces(Runnable more) {
            this.more = more;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            for (int at = 0; at < length; at += PIECE_BYTES) {
                int size = Math.min(PIECE_BYTES, length - at);
                byte[] piece = new byte[size];
                System.arraycopy(from, offset + at, piece, 0, size);
                put(piece);
            }
        }

        private void put(byte[] piece) throws IOException {
            try {
                while (!closed) {
                    if (pieces.offer(piece, LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                        more.run();
                        return;
                    }
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
            throw new IOException("nobody reads any more");
        }
    }

    @Override
    public @Nullable ByteBuf readChunk(ByteBufAllocator allocator) throws IOException {
        byte[] piece = pieces.poll();
        if (piece != null) {
            sent += piece.length;
            return Unpooled.wrappedBuffer(piece);
        }
        IOException failed = failure;
        if (failed != null) {
            throw failed;
        }
        return null;
    }

    @Override
    @Deprecated
    @SuppressWarnings("InlineMeSuggester") // It is Netty's to remove.
    public @Nullable ByteBuf readChunk(ChannelHandlerContext context) throws IOException {
        return readChunk(context.alloc());
    }

    @Override
    public boolean isEndOfInput() {
        return written && pieces.isEmpty();
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public long length() {
        return -1;
    }

    @Override
    public long progress() {
        return sent;
    }
}
