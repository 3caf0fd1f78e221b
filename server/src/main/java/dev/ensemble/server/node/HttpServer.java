package dev.ensemble.server.node;

import dev.ensemble.server.tls.Detector;
import dev.ensemble.server.tls.Tls;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpChunkedInput;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.stream.ChunkedNioFile;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLPeerUnverifiedException;

/// A small HTTP server with a thread of its own, so that it answers also while the member is busy.
final class HttpServer implements AutoCloseable {
    /// @param path decoded, without the query
    /// @param authorization the header, if there is one
    /// @param certificate that the client has shown over HTTPS; null for none
    /// @param parameters of the query; of one that is there twice the first
    record Request(
            String method,
            String path,
            @Nullable String authorization,
            @Nullable X509Certificate certificate,
            InetSocketAddress remote,
            Map<String, String> parameters,
            byte[] body) {
        boolean isGet() {
            return method.equals("GET");
        }
    }

    /// A body of any length, written while it is sent.
    interface Source {
        /// On a thread of its own; waits for whoever reads.
        void writeTo(OutputStream out) throws IOException;

        /// All has been written, or nobody reads any more.
        void ended();
    }

    /// @param headers besides those that every response has
    /// @param file is sent in place of the body and then deleted; null: there is none
    /// @param source is sent in place of the body; null: there is none
    record Response(
            int status,
            String contentType,
            String body,
            Map<String, String> headers,
            @Nullable Path file,
            @Nullable Source source) {
        Response(int status, String contentType, String body) {
            this(status, contentType, body, Map.of(), null);
        }

        Response(
                int status,
                String contentType,
                String body,
                Map<String, String> headers,
                @Nullable Path file) {
            this(status, contentType, body, headers, file, null);
        }

        /// What the source writes; it must know by itself where it ends.
        static Response stream(Source source) {
            return new Response(200, "application/octet-stream", "", Map.of(), null, source);
        }

        static Response text(int status, String body) {
            return new Response(status, "text/plain; charset=utf-8", body + "\n");
        }

        static Response json(int status, Json body) {
            return new Response(status, "application/json", body + "\n");
        }

        static Response json(String body) {
            return new Response(200, "application/json", body + "\n");
        }
    }

    /// Answers on the server's thread; what takes longer answers later.
    interface Handler {
        CompletionStage<Response> answer(Request request);
    }

    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);
    private static final int MAX_LINE_BYTES = 4096;
    private static final int MAX_HEADER_BYTES = 8192;
    private static final int MAX_BODY_BYTES = 64 << 10;
    private static final int MAX_CONNECTIONS = 256;

    private final MultiThreadIoEventLoopGroup group;
    private final Channel listener;
    private final @Nullable Tls tls;
    private final boolean plain;
    private int connections;

    /// @param name of the thread
    HttpServer(String name, InetSocketAddress address, int idleMillis, Handler handler)
            throws IOException {
        this(name, address, idleMillis, handler, null, true);
    }

    /// @param name of the thread
    /// @param tls null: there is no HTTPS
    /// @param plain whether there is HTTP
    HttpServer(
            String name,
            InetSocketAddress address,
            int idleMillis,
            Handler handler,
            @Nullable Tls tls,
            boolean plain)
            throws IOException {
        this.tls = tls;
        this.plain = plain;
        group =
                new MultiThreadIoEventLoopGroup(
                        1,
                        Thread.ofPlatform().name(name).daemon().factory(),
                        NioIoHandler.newFactory());
        var bound =
                new ServerBootstrap()
                        .group(group)
                        .channel(NioServerSocketChannel.class)
                        .childHandler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        accept(channel, idleMillis, handler);
                                    }
                                })
                        .bind(address)
                        .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            var _ = group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw new IOException(
                    "cannot listen on " + address + ": " + bound.cause().getMessage(),
                    bound.cause());
        }
        listener = bound.channel();
    }

    int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private void accept(Channel channel, int idleMillis, Handler handler) {
        if (connections >= MAX_CONNECTIONS) {
            var _ = channel.close();
            return;
        }
        connections++;
        channel.closeFuture().addListener(_ -> connections--);
        if (tls != null) {
            ChannelHandler security = plain ? new Detector(tls) : tls.accepting(channel.alloc());
            if (security == null) {
                var _ = channel.close();
                return;
            }
            channel.pipeline().addLast(security);
        }
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, idleMillis, TimeUnit.MILLISECONDS))
                .addLast(new HttpServerCodec(MAX_LINE_BYTES, MAX_HEADER_BYTES, 8192))
                .addLast(new HttpObjectAggregator(MAX_BODY_BYTES))
                .addLast(new Exchange(handler));
    }

    private static final class Exchange extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final Handler handler;
        private boolean busy;

        Exchange(Handler handler) {
            super(FullHttpRequest.class);
            this.handler = handler;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            if (!request.decoderResult().isSuccess()) {
                write(context, false, Response.text(400, "bad request"), false);
                return;
            }
            boolean keepAlive = HttpUtil.isKeepAlive(request) && !busy;
            boolean head = request.method().equals(HttpMethod.HEAD);
            busy = true;
            handler.answer(toRequest(context, request))
                    .whenCompleteAsync(
                            (response, failure) -> {
                                busy = false;
                                if (failure == null) {
                                    write(context, keepAlive, response, head);
                                } else {
                                    LOG.atError().setCause(failure).log("no answer over HTTP");
                                    Response sorry = Response.text(500, "an error of this server");
                                    write(context, false, sorry, head);
                                }
                            },
                            context.executor());
        }

        private static Request toRequest(ChannelHandlerContext context, FullHttpRequest request) {
            var query = new QueryStringDecoder(request.uri());
            var parameters = new HashMap<String, String>();
            query.parameters().forEach((key, values) -> parameters.put(key, values.getFirst()));
            String path = query.path();
            String method =
                    request.method().equals(HttpMethod.HEAD) ? "GET" : request.method().name();
            return new Request(
                    method,
                    path,
                    request.headers().get(HttpHeaderNames.AUTHORIZATION),
                    certificate(context.pipeline().get(SslHandler.class)),
                    (InetSocketAddress) context.channel().remoteAddress(),
                    Map.copyOf(parameters),
                    ByteBufUtil.getBytes(request.content()));
        }

        private static @Nullable X509Certificate certificate(@Nullable SslHandler tls) {
            try {
                return tls != null
                                && tls.engine().getSession().getPeerCertificates()[0]
                                        instanceof X509Certificate own
                        ? own
                        : null;
            } catch (SSLPeerUnverifiedException _) {
                return null; // It has shown none.
            }
        }

        private static void write(
                ChannelHandlerContext context, boolean keepAlive, Response response, boolean head) {
            Source source = response.source();
            if (source != null) {
                StreamedBody.send(context, response, source);
                return;
            }
            Path file = response.file();
            if (file != null) {
                send(context, response, file, head);
                return;
            }
            byte[] body = response.body().getBytes(StandardCharsets.UTF_8);
            var http =
                    new DefaultFullHttpResponse(
                            HttpVersion.HTTP_1_1,
                            HttpResponseStatus.valueOf(response.status()),
                            head ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body));
            http.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, response.contentType())
                    .set(HttpHeaderNames.CONTENT_LENGTH, body.length)
                    .set(HttpHeaderNames.CACHE_CONTROL, "no-store");
            response.headers().forEach((name, value) -> http.headers().set(name, value));
            HttpUtil.setKeepAlive(http, keepAlive);
            var written = context.writeAndFlush(http);
            if (!keepAlive) {
                var _ = written.addListener(ChannelFutureListener.CLOSE);
            }
        }

        /// In pieces, as the other end takes them; the connection ends behind it.
        private static void send(
                ChannelHandlerContext context, Response response, Path file, boolean head) {
            try {
                var http =
                        new DefaultHttpResponse(
                                HttpVersion.HTTP_1_1,
                                HttpResponseStatus.valueOf(response.status()));
                http.headers()
                        .set(HttpHeaderNames.CONTENT_TYPE, response.contentType())
                        .set(HttpHeaderNames.CONTENT_LENGTH, Files.size(file))
                        .set(HttpHeaderNames.CACHE_CONTROL, "no-store");
                response.headers().forEach((name, value) -> http.headers().set(name, value));
                HttpUtil.setKeepAlive(http, false);
                var pieces = new ChunkedNioFile(FileChannel.open(file, StandardOpenOption.READ));
                // Open, it outlives its name.
                Files.delete(file);
                context.pipeline().addBefore(context.name(), null, new ChunkedWriteHandler());
                var _ = context.write(http);
                if (head) {
                    pieces.close();
                }
                var written =
                        context.writeAndFlush(
                                head
                                        ? LastHttpContent.EMPTY_LAST_CONTENT
                                        : new HttpChunkedInput(pieces));
                var _ = written.addListener(ChannelFutureListener.CLOSE);
            } catch (Exception e) {
                LOG.atError().setCause(e).log("a file cannot be sent over HTTP");
                var _ = context.close();
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof IdleStateEvent && !busy) {
                var _ = context.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            LOG.atDebug().setCause(cause).log("an HTTP connection ends");
            var _ = context.close();
        }
    }
}
