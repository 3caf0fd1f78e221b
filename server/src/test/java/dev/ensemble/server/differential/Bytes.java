package dev.ensemble.server.differential;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Bytes of a request, written field by field. Not the server's own code: that is under test.
final class Bytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final DataOutputStream out = new DataOutputStream(bytes);

    Bytes number(int value) {
        return write(() -> out.writeInt(value));
    }

    Bytes number(long value) {
        return write(() -> out.writeLong(value));
    }

    Bytes flag(boolean value) {
        return write(() -> out.writeBoolean(value));
    }

    Bytes buffer(byte[] value) {
        if (value == null) {
            return number(-1);
        }
        return number(value.length).raw(value);
    }

    Bytes text(String value) {
        return buffer(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }

    Bytes texts(List<String> values) {
        if (values == null) {
            return number(-1);
        }
        number(values.size());
        values.forEach(this::text);
        return this;
    }

    Bytes raw(byte[] value) {
        return write(() -> out.write(value));
    }

    byte[] done() {
        return bytes.toByteArray();
    }

    private interface Writing {
        void write() throws IOException;
    }

    private Bytes write(Writing writing) {
        try {
            writing.write();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e); // Memory does not fail.
        }
    }
}
