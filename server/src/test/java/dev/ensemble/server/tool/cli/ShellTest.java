package dev.ensemble.server.tool.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.tool.OriginalServer;

import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeperMain;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Our command line and the original's, against the original server.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ShellTest {
    private static final int TIMEOUT_MILLIS = 10_000;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final ByteArrayOutputStream theirs = new ByteArrayOutputStream();
    private final PrintStream capture = new PrintStream(theirs, true, UTF_8);
    private final OriginalServer server;
    private final Shell shell;
    private final ZooKeeperMain original;

    ShellTest(@TempDir Path dir) throws Exception {
        System.setProperty("zookeeper.extendedTypesEnabled", "true");
        server = OriginalServer.start(dir);
        shell = shell(server.connectString());
        var zooKeeper = new ZooKeeper(server.connectString(), TIMEOUT_MILLIS, _ -> {});
        var made = new ZooKeeperMain[1];
        // Its commands take the streams as they are when their class is loaded.
        captured(() -> made[0] = new ZooKeeperMain(zooKeeper));
        original = made[0];
    }

    private interface Step {
        void run() throws Exception;
    }

    /// Runs something of the original, whose streams are those of the process.
    private void captured(Step step) throws Exception {
        PrintStream usualOut = System.out;
        PrintStream usualErr = System.err;
        System.setOut(capture);
        System.setErr(capture);
        try {
            step.run();
        } finally {
            System.setOut(usualOut);
            System.setErr(usualErr);
        }
    }

    private Shell shell(String where) {
        return new Shell(
                where,
                TIMEOUT_MILLIS,
                false,
                new PrintStream(out, true, UTF_8),
                new PrintStream(err, true, UTF_8));
    }

    @BeforeAll
    void fill() {
        assertEquals(Shell.OK, shell.connect());
        for (String line :
                List.of(
                        "create /t",
                        "create /t/empty ''",
                        "create /t/data 'some data'",
                        "create /t/data/b x",
                        "create /t/data/a/ x",
                        "create /t/data/a x",
                        "create /t/data/a/deep x",
                        "create -e /t/ephemeral x",
                        "create -c /t/container",
                        "create -t 60000 /t/ttl x",
                        "create '/t/with blank' x",
                        "create /t/acl x world:anyone:cda,ip:10.0.0.0/8:rw",
                        "create /t/hidden x digest:u:h:cdrwa")) {
            shell.run(line);
        }
        reset();
    }

    @AfterAll
    void stop() {
        shell.close();
        server.close();
    }

    private void reset() {
        out.reset();
        err.reset();
    }

    /// Runs a line and gives its exit code and what it printed.
    private String run(String line) {
        reset();
        int code = shell.run(line);
        String printed = code + "|" + out.toString(UTF_8) + "|" + err.toString(UTF_8);
        return printed.replace("\n", "~");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ls /",
                "ls /t",
                "ls -s /t",
                "ls -R /t/data",
                "ls -R /zookeeper",
                "ls -w /t",
                "ls /t/none",
                "ls -R /t/none",
                "ls /t/hidden",
                "get /t",
                "get /t/empty",
                "get /t/data",
                "get -s /t/data",
                "get /t/data -s",
                "get -b /t/data",
                "get -x /t/data",
                "get '/t/with blank'",
                "get /t/none",
                "get /t/hidden",
                "stat /t",
                "stat /t/ephemeral",
                "stat /t/ttl",
                "stat /t/container",
                "stat /t/none",
                "getAcl /t",
                "getAcl -s /t/acl",
                "getAcl /t/none",
                "set /t/none x",
                "set -v 7 /t x",
                "set /t/acl x",
                "create /t x",
                "create /t/none/x x",
                "create /t/ephemeral/x x",
                "create -t 5 -e /t/x x",
                "create -t abc /t/x x",
                "delete /t",
                "delete /t/none",
                "delete -v 7 /t/data/b",
                "deleteall /t/none",
                "setAcl /t/none world:anyone:r",
                "setAcl -v 7 /t world:anyone:r",
                "sync /t",
                "getAllChildrenNumber /t/data",
                "getEphemerals /t/none",
                "addWatch /t/data/b",
                "addWatch -m PERSISTENT /t/data/b",
                "removewatches /t/none",
                "removewatches /t/none -c",
                "config",
                "listquota /t/none",
                "delquota /t/none",
                "setquota -n 5 /t/none",
                "whoami"
            })
    void printsWhatTheOriginalPrints(String line) throws Exception {
        theirs.reset();
        captured(() -> original.executeLine(line));
        reset();
        shell.run(line);
        assertEquals(theirs.toString(UTF_8), out.toString(UTF_8) + err);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            textBlock =
                    """
                    ls /t/data                      # 0|[a, b]~|
                    create /w                       # 0||Created /w~
                    create -s /w/s- x               # 0||Created /w/s-0000000000~
                    create -e -s /w/es- x           # 0||Created /w/es-0000000001~
                    create -es /w/es- x             # 0||Created /w/es-0000000002~
                    create -c /w/c                  # 0||Created /w/c~
                    create -t 9000 -s /w/t- x       # 0||Created /w/t-0000000004~
                    set /w 'a  b'                   # 0||
                    get /w                          # 0|a  b~|
                    set -b /w aGk=                  # 0||
                    get /w                          # 0|hi~|
                    set -v 2 /w last                # 0||
                    getAcl /w                       # 0|'world,'anyone~: cdrwa~|
                    setAcl -R /w ip:127.0.0.1:cdrwa # 0||
                    getAcl /w/c                     # 0|'ip,'127.0.0.1~: cdrwa~|
                    addauth digest u:p              # 0||
                    setAcl /w auth::cdrwa           # 0||
                    get /w                          # 0|last~|
                    delete /w/c                     # 0||
                    deleteall /w -b 1               # 0||
                    stat /w                         # 1||Node does not exist: /w~
                    sync /                          # 0|Sync is OK~|
                    printwatches                    # 0|printwatches is on~|
                    printwatches off                # 0||
                    printwatches on                 # 0||
                    get /t -z                       # 2||Unrecognized option: -z~usage: get [-s] [-w] [-b] [-x] path~
                    get                             # 2||usage: get [-s] [-w] [-b] [-x] path~
                    ls / /                          # 2||usage: ls [-s] [-w] [-R] path~
                    get t                           # 2||Path must start with / character~
                    get /t/                         # 2||Path must not end with / character~
                    get /t//x                       # 2||Invalid path string "/t//x" caused by empty node name specified @3~
                    delete -v x /t                  # 2||-v x: the version must be a whole number~
                    delete /t -v                    # 2||Missing argument for option: v~usage: delete [-v version] path~
                    create -c -s /t/x               # 2||-c cannot be combined with -s, -e or -t~
                    create /t/x d bad               # 2||bad does not have the form scheme:id:perm~
                    create /t/x d world:anyone:rx   # 2||Unknown perm type: x; they are cdrwa~
                    create /t/x d bogus:x:r         # 1||Acl is not valid : /t/x~
                    set -b /t %%                    # 2||-b: the data is no base64: Illegal base64 character 25~
                    deleteall /                     # 2||deleteall / would delete everything; name a path below it~
                    deleteall /t -b 0               # 2||-b 0: the batch size must be a whole number from 1 to 10000~
                    bogus                           # 2||Command not found: bogus; help lists them~
                    setquota -n x /t                # 2||-n x: a quota must be a whole number of at least 0~
                    setquota /t                     # 2||usage: setquota -n|-b|-N|-B val path~
                    setquota -n 1 /zookeeper/quota  # 2||cannot set a quota under the path: /zookeeper/quota~
                    addWatch -m X /t                # 2||-m X: the mode must be PERSISTENT or PERSISTENT_RECURSIVE~
                    reconfig -add 1 -members 2      # 2||Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental modes is not allowed)~
                    reconfig -file /none            # 2||-file /none: there is no such file~
                    reconfig -v x -remove 1         # 2||-v x: the version of a configuration is hexadecimal~
                    reconfig -remove 1              # 1||KeeperErrorCode = ReconfigDisabled for reconfig~
                    redo 1000                       # 2||Command index out of range~
                    ''                              # 0||
                    """)
    void runsCommands(String line, String expected) {
        assertEquals(expected, run(line));
    }

    /// What one does the other finds: both keep quotas in the same znodes.
    @Test
    void quotasAreThoseOfTheOriginal() throws Exception {
        run("create /one");
        run("create /one/below");
        run("create /two");
        run("create /two/below");
        List<String> lines =
                List.of(
                        "setquota -n 5 %s",
                        "get /zookeeper/quota%s/zookeeper_limits",
                        "get /zookeeper/quota%s/zookeeper_stats",
                        "setquota -b 100 %s",
                        "setquota -N 7 %s",
                        "setquota -B 200 %s",
                        "listquota %s",
                        "delquota -n %s",
                        "delquota -B %s",
                        "listquota %s",
                        "delquota %s",
                        "listquota %s",
                        "ls /zookeeper/quota");
        for (String line : lines) {
            theirs.reset();
            captured(() -> original.executeLine(String.format(line, "/one")));
            reset();
            shell.run(String.format(line, "/two"));
            assertEquals(
                    sorted(theirs.toString(UTF_8).replace("/one", "/P")),
                    sorted((out.toString(UTF_8) + err.toString(UTF_8)).replace("/two", "/P")),
                    line);
        }
        assertEquals("0||", run("setquota -n 5 /one"));
        assertEquals(
                "2||/one/below has a parent /zookeeper/quota/one which has a quota~",
                run("setquota -n 5 /one/below"));
        assertEquals("0||", run("delquota /one"));
        assertEquals("0||", run("setquota -n 5 /one/below"));
        assertEquals("2||/one has child below which has a quota~", run("setquota -n 5 /one"));
    }

    /// {@return the lines, whatever the order in which the two streams were written}
    private static List<String> sorted(String text) {
        return text.lines().sorted().toList();
    }

    @Test
    void everyCommandOfTheOriginalIsThere() {
        var missing = new TreeSet<>(ZooKeeperMain.getCommands());
        missing.removeAll(Commands.names());
        assertEquals(Set.of(), missing);
    }

    @Test
    void helpAndHistory() {
        assertTrue(run("help").contains("\tsetAcl [-s] [-v version] [-R] path acl~"));
        run("ls /t/empty");
        String last = run("history");
        assertTrue(last.matches(".* - ls /t/empty~\\d+ - history~\\|"), last);
        int number = Integer.parseInt(last.replaceAll(".*?(\\d+) - ls /t/empty~\\d+ .*", "$1"));
        assertEquals("0|[]~|", run("redo " + number));
    }

    @Test
    void watchesArePrinted() throws Exception {
        var printed = new LinkedBlockingQueue<String>();
        var stream =
                new PrintStream(
                        new OutputStream() {
                            private final StringBuilder line = new StringBuilder();

                            @Override
                            public synchronized void write(int b) {
                                if (b == '\n') {
                                    printed.add(line.toString());
                                    line.setLength(0);
                                } else {
                                    line.append((char) b);
                                }
                            }
                        },
                        true,
                        UTF_8);
        try (Shell watcher =
                new Shell(server.connectString(), TIMEOUT_MILLIS, false, stream, stream)) {
            assertEquals(Shell.OK, watcher.connect());
            watcher.run("create /watched x");
            watcher.run("get -w /watched");
            watcher.run("set /watched y");
            watcher.run("ls -w /watched");
            watcher.run("deleteall /watched");
            for (String expected :
                    List.of(
                            "Created /watched",
                            "x",
                            "",
                            "WATCHER::",
                            "",
                            "WatchedEvent state:SyncConnected type:NodeDataChanged path:/watched"
                                    + " zxid: \\d+",
                            "\\[\\]",
                            "",
                            "WATCHER::",
                            "",
                            "WatchedEvent state:SyncConnected type:NodeDeleted path:/watched zxid:"
                                    + " \\d+")) {
                String line = printed.poll(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
                assertTrue(String.valueOf(line).matches(expected), line + " for " + expected);
            }
        }
    }

    @Test
    void pathsAreBelowTheChroot() {
        run("create /chroot");
        try (Shell below = shell(server.connectString() + "/chroot")) {
            assertEquals(Shell.OK, below.connect());
            reset();
            below.run("create -s /in- x");
            below.run("ls /");
            below.run("ls -R /");
            below.run("get /none");
            assertEquals("[in-0000000000]\n/\n/in-0000000000\n", out.toString(UTF_8));
            assertEquals(
                    "Created /in-0000000000\nNode does not exist: /none\n", err.toString(UTF_8));
        }
        assertEquals("0|[in-0000000000]~|", run("ls /chroot"));
    }

    @Test
    void aClosedSessionCanBeReplaced() {
        try (Shell other = shell(server.connectString())) {
            assertEquals(Shell.OK, other.connect());
            assertTrue(other.prompt().contains("(CONNECTED) 0] "));
            other.run("close");
            assertTrue(other.prompt().contains("(CLOSED) 1] "), other.prompt());
            reset();
            assertEquals(Shell.NOT_CONNECTED, other.run("ls /"));
            assertEquals("Not connected\n", err.toString(UTF_8));
            assertEquals(Shell.OK, other.run("connect " + server.connectString()));
            assertEquals(Shell.OK, other.run("ls /"));
            assertEquals(Shell.WRONG_USAGE, other.run("connect :x"));
        }
    }

    @Test
    void completionKnowsChildren() {
        assertEquals(List.of("a", "b"), shell.children("/t/data"));
        assertEquals(List.of(), shell.children("/t/none"));
    }

    @Test
    void wordsMayBeQuoted() {
        assertEquals(
                List.of("set", "/a b", "", "it's", "x"),
                Arguments.split("set '/a b' \"\" \"it's\"  x "));
    }
}
