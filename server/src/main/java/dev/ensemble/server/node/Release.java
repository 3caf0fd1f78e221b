package dev.ensemble.server.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// Which release of the server this is, as the build wrote it down.
///
/// @param version the version of the build, as in the pom
public record Release(String version) {
    private static final String FILE = "/dev/ensemble/server/build.properties";

    /// {@return the release that this class belongs to}
    public static Release current() {
        try (InputStream in = Release.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new IllegalStateException("the build left out " + FILE);
            }
            var properties = new Properties();
            properties.load(in);
            return new Release(properties.getProperty("version", "unknown"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + FILE, e);
        }
    }
}
