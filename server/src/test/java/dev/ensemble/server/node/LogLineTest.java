package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.ConsoleAppender;

import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

import java.io.ByteArrayOutputStream;
import java.util.List;

/// What the log looks like outside of tests.
final class LogLineTest {
    @Test
    void everyEventIsOneLine() throws Exception {
        var written = new ByteArrayOutputStream();
        var context = new LoggerContext();
        context.setMDCAdapter(new LogbackMDCAdapter());
        var configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(LogLineTest.class.getResource("/logback.xml"));
        var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        if (root.getAppender("err") instanceof ConsoleAppender<ILoggingEvent> appender) {
            appender.setOutputStream(written);
        }
        Logger log = context.getLogger("dev.ensemble.Thing");
        log.atInfo().addKeyValue("role", "leader").addKeyValue("epoch", 5).log("changed");
        log.error("failed\n\tbadly", new IllegalStateException("a\nb", new RuntimeException("c")));
        log.debug("not shown");
        List<String> lines = written.toString(UTF_8).lines().toList();
        assertEquals(2, lines.size(), lines.toString());
        assertTrue(
                lines.getFirst()
                        .matches(
                                "time=\\S+Z level=INFO logger=Thing thread=\\S+ role=\"leader\""
                                        + " epoch=\"5\" msg=changed ?"),
                lines.getFirst());
        assertTrue(
                lines.getLast()
                        .matches(
                                "time=.* level=ERROR .* msg=failed \\| badly"
                                    + " java.lang.IllegalStateException: a \\| b \\| at .*Caused"
                                    + " by: java.lang.RuntimeException: c.*"),
                lines.getLast());
    }
}
