package dev.ensemble.server.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// What the audit log says of what a client does (`audit.enable`).
@Timeout(120)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class AuditBehaviourTest {
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    private void listen(String name) {
        var logger = (Logger) LoggerFactory.getLogger(name);
        var appender =
                new AppenderBase<ILoggingEvent>() {
                    @Override
                    protected void append(ILoggingEvent event) {
                        lines.add(event.getFormattedMessage().replace('\t', ' '));
                    }
                };
        appender.setContext(logger.getLoggerContext());
        appender.start();
        logger.addAppender(appender);
        logger.setLevel(Level.INFO);
    }

    private String next() throws InterruptedException {
        return lines.poll(60, TimeUnit.SECONDS) + "";
    }

    @Test
    @DisplayName("b335: changes and refusals, by whom and from where, and ephemerals that went")
    void audit(@TempDir Path folder) throws Exception {
        listen("dev.ensemble.server.audit");
        listen("org.apache.zookeeper.audit.Slf4jAuditLogger"); // For the original.
        try (Subject subject = Subject.start(folder, "audit.enable=true")) {
            assertTrue(next().matches("user=.* operation=serverStart result=success"));
            ZooKeeper zk = subject.client();
            String session = "session=0x" + Long.toHexString(zk.getSessionId());
            String who = session + " user=127.0.0.1 ip=127.0.0.1 operation=";
            zk.create("/a", null, Acls.OPEN, CreateMode.PERSISTENT);
            assertEquals(who + "create znode=/a znode_type=persistent result=success", next());
            assertEquals(
                    Code.NODEEXISTS,
                    Clients.code(() -> zk.create("/a", null, Acls.OPEN, CreateMode.PERSISTENT)));
            assertEquals(who + "create znode=/a znode_type=persistent result=failure", next());
            zk.create("/a/s-", null, Acls.OPEN, CreateMode.EPHEMERAL_SEQUENTIAL);
            assertEquals(
                    who
                            + "create znode=/a/s-0000000000 znode_type=ephemeral_sequential"
                            + " result=success",
                    next());
            zk.setData("/a", null, -1);
            assertEquals(who + "setData znode=/a result=success", next());
            assertEquals(Code.NONODE, Clients.code(() -> delete(zk, "/none")));
            assertEquals(who + "delete znode=/none result=failure", next());

            zk.addAuthInfo("digest", Acls.bytes("u:p"));
            who = session + " user=127.0.0.1,u ip=127.0.0.1 operation=";
            List<ACL> acl =
                    List.of(
                            new ACL(5, ZooDefs.Ids.ANYONE_ID_UNSAFE),
                            new ACL(ZooDefs.Perms.ALL, new Id("digest", Acls.U)));
            zk.setACL("/a", new ArrayList<>(acl), -1);
            assertEquals(
                    who
                            + "setAcl znode=/a acl=world:anyone:crdigest:"
                            + Acls.U
                            + ":cdrwa result=success",
                    next());
            zk.multi(
                    List.of(
                            Op.create("/m", null, Acls.OPEN, CreateMode.CONTAINER),
                            Op.check("/a", -1),
                            Op.delete("/m", -1)));
            assertEquals(who + "create znode=/m znode_type=container result=success", next());
            assertEquals(who + "delete znode=/m result=success", next());
            assertEquals(
                    Code.NONODE,
                    Clients.code(
                            () -> zk.multi(List.of(Op.check("/a", -1), Op.delete("/none", -1)))));
            assertEquals(who + "multiOperation result=failure", next());
            zk.close();
            assertTrue(
                    next().matches(
                                    session
                                            + " user=.*"
                                            + " operation=ephemeralZNodeDeletionOnSessionCloseOrExpire"
                                            + " znode=/a/s-0000000000 result=success"));
        }
    }

    private static Object delete(ZooKeeper zk, String path)
            throws KeeperException, InterruptedException {
        zk.delete(path, -1);
        return path;
    }
}
