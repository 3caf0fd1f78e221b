package dev.ensemble.server.tool.s3;

import software.amazon.awssdk.http.ContentStreamProvider;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/// A part of a file, which may be read from its start again and again.
record FilePart(Path file, long from, long bytes) implements ContentStreamProvider {
    @Override
    public InputStream newStream() {
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
            channel.position(from);
            return new Limited(new BufferedInputStream(Channels.newInputStream(channel)), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// {@return its MD5, as the header Content-MD5 has it}
    String md5() throws IOException {
        try (InputStream in = newStream();
                var out =
                        new DigestOutputStream(
                                OutputStream.nullOutputStream(),
                                MessageDigest.getInstance("MD5"))) {
            in.transferTo(out);
            return Base64.getEncoder().encodeToString(out.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has MD5", e);
        }
    }

    private static final class Limited extends FilterInputStream {
        private long left;

        Limited(InputStream in, long left) {
            super(in);
            this.left = left;
        }

        @Override
        public int read() throws IOException {
            if (left <= 0) {
                return -1;
            }
            int read = in.read();
            left -= read < 0 ? 0 : 1;
            return read;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (length > 0 && left <= 0) {
                return -1;
            }
            int read = in.read(into, offset, (int) Math.min(length, left));
            left -= Math.max(read, 0);
            return read;
        }

        @Override
        public long skip(long count) throws IOException {
            long skipped = in.skip(Math.min(count, left));
            left -= skipped;
            return skipped;
        }

        @Override
        public int available() throws IOException {
            return (int) Math.min(in.available(), left);
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
