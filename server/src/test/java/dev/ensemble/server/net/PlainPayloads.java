package dev.ensemble.server.net;

import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Payloads of deletes: enough for links, which do not look into them.
final class PlainPayloads implements Payload.Codec {
    private static final int HEADER_BYTES = 4 * Long.BYTES + Integer.BYTES;

    @Override
    public Payload encode(Header header, Txn txn) {
        if (!(txn instanceof Txn.Delete(String path))) {
            throw new IllegalArgumentException("not a delete: " + txn);
        }
        byte[] text = path.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + text.length);
        bytes.putLong(header.session()).putInt(header.origin()).putLong(header.incarnation());
        bytes.putLong(header.sequence()).putLong(header.timeMillis()).put(text);
        return new Payload(header, txn, bytes.array());
    }

    @Override
    public Payload decode(byte[] bytes) {
        if (bytes.length < HEADER_BYTES) {
            throw new IllegalArgumentException("no header");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        var header =
                new Header(in.getLong(), in.getInt(), in.getLong(), in.getLong(), in.getLong());
        String path = StandardCharsets.UTF_8.decode(in).toString();
        return new Payload(header, new Txn.Delete(path), bytes);
    }
}
