package dev.ensemble.server.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// Which release of the server this is, as the build wrote it down.
///
/// @param version the version of the build, as in the pom
/// @param built when, in UTC
public record Release(String version, String built) {
    /// The release of ZooKeeper whose protocol and words this server speaks: tools read it from the
    /// start of a version and decide by it what they may ask.
    private static final String COMPATIBLE = "3.9.5";

    private static final String FILE = "/dev/ensemble/server/build.properties";

    /// {@return the version as ZooKeeper's tools expect it}
    public String shown() {
        return COMPATIBLE + "-ensemble-" + version + ", built on " + built;
    }

    /// {@return the release that this class belongs to}
    public static Release current() {
        try (InputStream in = Release.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new IllegalStateException("the build left out " + FILE);
            }
            var properties = new Properties();
            properties.load(in);
            return new Release(
                    properties.getProperty("version", "unknown"),
                    properties.getProperty("built", "unknown"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + FILE, e);
        }
    }
}
