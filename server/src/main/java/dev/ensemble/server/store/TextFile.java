package dev.ensemble.server.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/// Small files of `key value` lines, for people to read, with a checksum in the last line and
/// replaced as a whole.
///
/// After a crash at any point the old or the new content is there. Each file begins with the line
/// `version 1`.
record TextFile(String name) {
    private static final String TEMPORARY = ".tmp";
    private static final String VERSION = "version";
    private static final String CHECKSUM = "crc32c";

    /// Replaces the file; it is durable afterwards.
    void write(Disk disk, Map<String, String> values) throws IOException {
        replace(disk, ByteBuffer.wrap(bytes(1, values)));
    }

    /// Replaces the file by any content; it is durable afterwards.
    void replace(Disk disk, ByteBuffer content) throws IOException {
        try (Disk.File file = disk.create(name + TEMPORARY)) {
            file.write(0, content);
            file.force();
        }
        disk.rename(name + TEMPORARY, name);
        disk.syncFolder(name.substring(0, Math.max(0, name.lastIndexOf('/'))));
    }

    /// {@return these values as text with version and checksum}
    static byte[] bytes(int version, Map<String, String> values) {
        var text = new StringBuilder(VERSION).append(' ').append(version).append('\n');
        values.forEach((key, value) -> {
            if (value.indexOf('\n') >= 0) {
                throw new IllegalArgumentException(
                        "the value of " + key + " has more than one line: " + value);
            }
            text.append(key).append(' ').append(value).append('\n');
        });
        String checksum = checksum(text.toString());
        text.append(CHECKSUM).append(' ').append(checksum).append('\n');
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// {@return what the file says, without version and checksum}
    ///
    /// @throws DamagedException if it is not as it was written
    Map<String, String> read(Disk disk) throws IOException {
        return parse(1, new String(disk.read(name), StandardCharsets.UTF_8));
    }

    /// {@return what [#bytes] made the text of}
    ///
    /// @throws DamagedException if it is not as it was made
    Map<String, String> parse(int version, String text) throws IOException {
        int last = text.lastIndexOf(CHECKSUM + " ");
        if (last < 0
                || !text.substring(last)
                        .equals(CHECKSUM + " " + checksum(text.substring(0, last)) + "\n")) {
            throw new DamagedException("the file " + name + " does not fit its checksum");
        }
        var values = new LinkedHashMap<String, String>();
        for (String line : text.substring(0, last).lines().toList()) {
            int space = line.indexOf(' ');
            if (space < 0) {
                throw new DamagedException("the file " + name + " has the line \"" + line + "\"");
            }
            values.put(line.substring(0, space), line.substring(space + 1));
        }
        if (!Integer.toString(version).equals(values.remove(VERSION))) {
            throw new StoreException(
                    "the file "
                            + name
                            + " is not of version "
                            + version
                            + ", the newest that this build knows: "
                            + text);
        }
        return values;
    }

    /// {@return the number under a key}
    long number(Map<String, String> values, String key, int radix) throws IOException {
        try {
            return Long.parseUnsignedLong(text(values, key), radix);
        } catch (NumberFormatException e) {
            throw new DamagedException(
                    "the file " + name + " has no number for " + key + ": " + values, e);
        }
    }

    String text(Map<String, String> values, String key) throws IOException {
        String value = values.get(key);
        if (value == null) {
            throw new DamagedException("the file " + name + " has no line for " + key);
        }
        return value;
    }

    private static String checksum(String text) {
        var crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }
}
