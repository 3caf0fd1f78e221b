package dev.ensemble.server.differential;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Makes a program of a seed: few paths and few clients, so that they get in each other's way.
public final class Programs {
    /// What the super user proves to be with; both servers know the hash.
    static final String SUPER = "super:admin";

    private static final List<String> PATHS =
            List.of("/a", "/b", "/c", "/a/x", "/a/y", "/a/x/1", "/a/x/2", "/b/q", "/b/q/r", "/c/s");

    private static final List<String> ODD_PATHS =
            Arrays.asList(
                    "/",
                    "",
                    null,
                    "a",
                    "/a/",
                    "//",
                    "/a//x",
                    "/a/.",
                    "/a/..",
                    "/a/../b",
                    "/./a",
                    "/a/x\0",
                    "/a/\u0001",
                    "/a/\u007f",
                    "/a/ ",
                    "/a/\u00e9",
                    "/a/\u009f",
                    "/a/\u00a0",
                    "/a/...",
                    "/.a",
                    "/a/\ufff0",
                    "/a/\ue000",
                    "/nowhere/at/all",
                    "/zookeeper",
                    "/zookeeper/config",
                    "/zookeeper/quota",
                    "/zookeeper/x",
                    "/zookeeper/quota/a",
                    "/a/x/1/deep",
                    "/a/\ud83d\ude00",
                    "/A",
                    "/a/xx",
                    " /a");

    private static final List<String> SEQUENTIAL = List.of("/a/s-", "/a/", "/b/", "/s", "/b/q/n");

    private final Random random;
    private final long seed;
    private final boolean[] open = new boolean[Program.CLIENTS];
    private final boolean[] known = new boolean[Program.CLIENTS];

    private Programs(long seed) {
        this.seed = seed;
        this.random = new Random(seed * 0x9E3779B97F4A7C15L);
        random.nextLong();
    }

    static Program of(long seed) {
        return new Programs(seed).make();
    }

    /// {@return requests of all kinds, some of them malformed}
    public static List<byte[]> frames(Random random, int count) {
        var programs = new Programs(random.nextLong());
        List<byte[]> frames = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            frames.add(programs.anyOp().frame(i + 1, 0));
        }
        return frames;
    }

    private Program make() {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < Program.CLIENTS; i++) {
            steps.add(connect(i));
        }
        // Most programs have something to work with.
        if (random.nextInt(4) > 0) {
            List<Op> first = new ArrayList<>();
            for (String path : PATHS) {
                if (random.nextInt(3) > 0) {
                    first.add(create(Op.CREATE, path, data(), acl(), 0));
                }
            }
            steps.add(new Step.Burst(0, first));
        }
        int length = 8 + random.nextInt(30);
        for (int i = 0; i < length; i++) {
            steps.add(step(random.nextInt(Program.CLIENTS)));
        }
        return new Program(seed, steps);
    }

    private Step connect(int client) {
        open[client] = true;
        known[client] = true;
        int[] timeouts = {30_000, 30_000, 30_000, 40_000, 1_000_000, 29_999};
        return new Step.Connect(client, pick(timeouts), random.nextInt(5) > 0);
    }

    private Step step(int client) {
        if (!open[client]) {
            open[client] = true;
            return random.nextInt(3) > 0 ? reconnect(client, false) : connect(client);
        }
        return switch (random.nextInt(40)) {
            case 0 -> connect(client);
            case 1, 2 -> reconnect(client, random.nextBoolean());
            case 3 -> {
                open[client] = false;
                yield new Step.Drop(client);
            }
            case 4 -> {
                open[client] = false;
                yield random.nextInt(3) == 0 ? new Step.Guess(client) : new Step.Drop(client);
            }
            default -> burst(client);
        };
    }

    private Step reconnect(int client, boolean takeover) {
        List<Op> behind = new ArrayList<>();
        if (random.nextInt(3) == 0) {
            behind.add(auth("digest", "u:p"));
        }
        if (random.nextInt(3) > 0) {
            behind.add(setWatches());
        }
        if (random.nextInt(3) == 0) {
            behind.add(random.nextBoolean() ? anyCreate() : read("getData", Op.GET_DATA, true));
        }
        int[] timeouts = {30_000, 30_000, 35_000};
        return new Step.Reconnect(client, takeover, pick(timeouts), behind);
    }

    private Step burst(int client) {
        List<Op> ops = new ArrayList<>();
        int count = 1 + random.nextInt(random.nextInt(5) == 0 ? 12 : 4);
        for (int i = 0; i < count; i++) {
            Op op = anyOp();
            ops.add(op);
            if (op.ends()) {
                open[client] = false;
                break;
            }
        }
        return new Step.Burst(client, ops);
    }

    private Op anyOp() {
        return switch (random.nextInt(60)) {
            case 0 -> mutated(plainOp());
            case 1 -> mutated(plainOp());
            case 2 -> random.nextInt(3) > 0 ? plainOp() : ending();
            case 3 -> createTtl(path(), random.nextInt(8), 1_000_000);
            default -> plainOp();
        };
    }

    private Op ending() {
        return switch (random.nextInt(6)) {
            case 0 -> auth("world", "anyone").ending();
            case 1 -> auth("none", "x").ending();
            case 2 ->
                    new Op("unknown", pick(new int[] {10, 23, 99, 108, 13, 0, -1}), new Bytes())
                            .ending();
            case 3 ->
                    new Op(
                                    "auth digest null",
                                    Op.AUTH,
                                    new Bytes().number(0).text("digest").buffer(null))
                            .ending();
            default -> new Op("close", Op.CLOSE, new Bytes()).ending();
        };
    }

    private Op plainOp() {
        int choice = random.nextInt(100);
        if (choice < 18) {
            return anyCreate();
        } else if (choice < 26) {
            return delete(path(), version());
        } else if (choice < 35) {
            return setData(path(), data(), version());
        } else if (choice < 41) {
            return read("exists", Op.EXISTS, true);
        } else if (choice < 47) {
            return read("getData", Op.GET_DATA, true);
        } else if (choice < 51) {
            return read("getChildren", Op.GET_CHILDREN, true);
        } else if (choice < 55) {
            return read("getChildren2", Op.GET_CHILDREN2, true);
        } else if (choice < 58) {
            return read("getAcl", Op.GET_ACL, false);
        } else if (choice < 62) {
            String path = path();
            Acls.Entries acl = acl();
            int version = version();
            return new Op(
                    "setAcl " + shown(path) + " " + acl + " v" + version,
                    Op.SET_ACL,
                    acl.write(new Bytes().text(path)).number(version));
        } else if (choice < 63) {
            return read("sync", Op.SYNC, false);
        } else if (choice < 65) {
            return new Op("ping", Op.PING, new Bytes());
        } else if (choice < 74) {
            return multi();
        } else if (choice < 77) {
            return multiRead();
        } else if (choice < 83) {
            return watchOp();
        } else if (choice < 88) {
            return anyAuth();
        } else if (choice < 90) {
            return setWatches();
        } else if (choice < 92) {
            String[] prefixes = {"/", "", null, "/a", "/b", "/a/x", "/zz", " "};
            String prefix = pick(prefixes);
            return new Op(
                    "getEphemerals " + shown(prefix), Op.GET_EPHEMERALS, new Bytes().text(prefix));
        } else if (choice < 94) {
            return read("getAllChildrenNumber", Op.GET_ALL_CHILDREN_NUMBER, false);
        } else if (choice < 96) {
            return new Op("whoAmI", Op.WHO_AM_I, new Bytes());
        } else if (choice < 97) {
            return new Op("sasl", Op.SASL, new Bytes().buffer(new byte[] {1}));
        } else if (choice < 98) {
            return new Op(
                    "reconfig",
                    Op.RECONFIG,
                    new Bytes().text("server.5=127.0.0.1:1:2;3").text(null).text(null).number(-1L));
        }
        return quota();
    }

    private Op anyCreate() {
        int kind = random.nextInt(20);
        if (kind < 12) {
            int flags = pick(new int[] {0, 0, 0, 1, 1, 2, 3});
            int type = random.nextBoolean() ? Op.CREATE : Op.CREATE2;
            return create(type, flags >= 2 ? sequential() : path(), data(), acl(), flags);
        } else if (kind < 15) {
            // Not 1 and 3: the original makes a container of them, and refuses children of it for
            // as
            // long as it takes to apply that (NO_CHILDREN_FOR_EPHEMERALS). A matter of timing.
            int flags = pick(new int[] {4, 4, 4, 0, 4, 2, 4, 5, 6, 7});
            return create(Op.CREATE_CONTAINER, path(), data(), acl(), flags);
        } else if (kind < 18) {
            int flags = pick(new int[] {5, 5, 5, 6, 6});
            long[] ttls = {1_000_000, 1_000_000, 5_000_000, 0, -1, 1L << 40, (1L << 40) - 1};
            return createTtl(path(), flags, ttls[random.nextInt(ttls.length)]);
        }
        int flags = pick(new int[] {4, 5, 6, 7, -1, 100});
        return create(random.nextBoolean() ? Op.CREATE : Op.CREATE2, path(), data(), acl(), flags);
    }

    private Op createTtl(String path, int flags, long ttl) {
        Op create = create(Op.CREATE_TTL, path, data(), acl(), flags);
        byte[] body = new Bytes().raw(create.body()).number(ttl).done();
        return create.withBody("ttl " + ttl, body);
    }

    private static Op create(int type, String path, byte[] data, Acls.Entries acl, int flags) {
        return new Op(
                "create(" + type + ") " + shown(path) + " " + acl + " flags " + flags,
                type,
                acl.write(new Bytes().text(path).buffer(data)).number(flags));
    }

    private static Op delete(String path, int version) {
        return new Op(
                "delete " + shown(path) + " v" + version,
                Op.DELETE,
                new Bytes().text(path).number(version));
    }

    private static Op setData(String path, byte[] data, int version) {
        return new Op(
                "setData " + shown(path) + " v" + version,
                Op.SET_DATA,
                new Bytes().text(path).buffer(data).number(version));
    }

    private Op read(String name, int type, boolean mayWatch) {
        String path = path();
        boolean watch = mayWatch && random.nextBoolean();
        Bytes body = new Bytes().text(path);
        return new Op(
                name + " " + shown(path) + (watch ? " watch" : ""),
                type,
                mayWatch ? body.flag(watch) : body);
    }

    private Op watchOp() {
        String path = path();
        int wrong = pick(new int[] {2, -1});
        int mode = random.nextInt(12) == 0 ? wrong : random.nextInt(2);
        int type = random.nextInt(7);
        return switch (random.nextInt(4)) {
            case 0, 1 -> ofWatch("addWatch", Op.ADD_WATCH, path, mode);
            case 2 -> ofWatch("removeWatches", Op.REMOVE_WATCHES, path, type);
            default -> ofWatch("checkWatches", Op.CHECK_WATCHES, path, type);
        };
    }

    private static Op ofWatch(String name, int type, String path, int number) {
        return new Op(
                name + " " + shown(path) + " " + number,
                type,
                new Bytes().text(path).number(number));
    }

    private Op setWatches() {
        boolean two = random.nextBoolean();
        var body = new Bytes();
        int since = random.nextInt(4);
        body.number(since == 0 ? 0 : since == 1 ? Long.MAX_VALUE : 0);
        var text = new StringBuilder(two ? "setWatches2" : "setWatches");
        text.append(since == 0 ? " since 0" : since == 1 ? " since ever" : " since seen");
        for (int i = 0; i < (two ? 5 : 3); i++) {
            List<String> paths = new ArrayList<>();
            int count = random.nextInt(4);
            for (int j = 0; j < count; j++) {
                paths.add(pick(PATHS));
            }
            // Only the first: at a later one the original has set watches before it fails.
            if (i == 0 && random.nextInt(30) == 0) {
                paths = null;
            }
            text.append(' ').append(paths);
            body.texts(paths);
        }
        Op op = new Op(text.toString(), two ? Op.SET_WATCHES2 : Op.SET_WATCHES, body);
        return since >= 2 ? op.relativeToSeen() : op;
    }

    private Op anyAuth() {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> auth("digest", "u:p");
            case 3, 4 -> auth("digest", "v:q");
            case 5 -> auth("digest", SUPER);
            case 6 -> auth("ip", "whatever");
            default -> auth("digest", pick(new String[] {"nocolon", "", ":", "u:", "a:b:c"}));
        };
    }

    private static Op auth(String scheme, String text) {
        return new Op(
                "auth " + scheme + " " + text,
                Op.AUTH,
                new Bytes().number(0).text(scheme).buffer(text.getBytes(StandardCharsets.UTF_8)));
    }

    private Op multi() {
        var body = new Bytes();
        var text = new StringBuilder("multi [");
        int count = random.nextInt(6);
        for (int i = 0; i < count; i++) {
            Op part =
                    switch (random.nextInt(12)) {
                        case 0, 1, 2 -> anyCreate();
                        case 3 -> create(Op.CREATE, pick(PATHS), data(), open(), 0);
                        case 4, 5 -> delete(path(), random.nextInt(3) == 0 ? version() : -1);
                        case 6, 7, 8 ->
                                setData(path(), data(), random.nextInt(3) == 0 ? version() : -1);
                        case 9, 10 -> check();
                        default -> random.nextInt(6) == 0 ? read("getData", 4, true) : check();
                    };
            text.append(part).append("; ");
            body.number(part.type()).flag(false).number(-1).raw(part.body());
        }
        body.number(-1).flag(true).number(-1);
        return new Op(text.append(']').toString(), Op.MULTI, body);
    }

    private Op check() {
        String path = path();
        int version = random.nextInt(3) == 0 ? version() : -1;
        return new Op(
                "check " + shown(path) + " v" + version,
                Op.CHECK,
                new Bytes().text(path).number(version));
    }

    private Op multiRead() {
        var body = new Bytes();
        var text = new StringBuilder("multiRead [");
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            Op part =
                    random.nextInt(40) == 0
                            ? check()
                            : random.nextBoolean()
                                    ? read("getData", Op.GET_DATA, true)
                                    : read("getChildren", Op.GET_CHILDREN, true);
            text.append(part).append("; ");
            body.number(part.type()).flag(false).number(-1).raw(part.body());
        }
        body.number(-1).flag(true).number(-1);
        return new Op(text.append(']').toString(), Op.MULTI_READ, body);
    }

    private Op quota() {
        String base = "/zookeeper/quota";
        String[] nodes = {
            base + "/a", base + "/a/zookeeper_limits", base + "/a/zookeeper_stats", base + "/b"
        };
        String path = pick(nodes);
        String[] limits = {
            "count=3,bytes=20", "count=-1,bytes=-1=;byteHardLimit=6;countHardLimit=4"
        };
        byte[] data = pick(limits).getBytes(StandardCharsets.UTF_8);
        return switch (random.nextInt(6)) {
            case 0, 1, 2 -> create(Op.CREATE, path, data, open(), 0);
            case 3 -> delete(path, -1);
            case 4 -> setData(path, data, -1);
            default ->
                    new Op(
                            "getData " + path,
                            Op.GET_DATA,
                            new Bytes().text(path).flag(random.nextBoolean()));
        };
    }

    /// The same with a body that is cut short, longer, or changed in places.
    private Op mutated(Op op) {
        byte[] body = op.body().clone();
        if (body.length == 0) {
            return op;
        }
        // Which zxids there are is each server's own affair.
        int from = op.type() == Op.SET_WATCHES || op.type() == Op.SET_WATCHES2 ? 8 : 0;
        int at = from + random.nextInt(body.length - from);
        return switch (random.nextInt(4)) {
            case 0 -> op.withBody("cut to " + at, Arrays.copyOf(body, at));
            case 1 -> op.withBody("and 5 bytes", Arrays.copyOf(body, body.length + 5));
            case 2 -> withNumber(op, body, from);
            default -> {
                body[at] ^= (byte) (1 << random.nextInt(8));
                yield op.withBody("changed at " + at, body);
            }
        };
    }

    private Op withNumber(Op op, byte[] body, int from) {
        if (body.length - from < 4) {
            return op;
        }
        int value = pick(new int[] {-1, -2, 0, 1, Integer.MAX_VALUE, 1 << 20, Integer.MIN_VALUE});
        int at = from + random.nextInt(Math.min(2, (body.length - from) / 4)) * 4;
        ByteBuffer.wrap(body).putInt(at, value);
        return op.withBody("with " + value + " at " + at, body);
    }

    private String path() {
        return random.nextInt(9) == 0
                ? ODD_PATHS.get(random.nextInt(ODD_PATHS.size()))
                : pick(PATHS);
    }

    private String sequential() {
        return random.nextInt(6) == 0 ? path() : pick(SEQUENTIAL);
    }

    private int version() {
        return random.nextInt(5) < 3 ? -1 : random.nextInt(4) - (random.nextInt(10) == 0 ? 3 : 0);
    }

    private byte[] data() {
        return switch (random.nextInt(6)) {
            case 0 -> null;
            case 1 -> new byte[0];
            default -> new byte[] {(byte) random.nextInt(), 2, 3, 4, 5, 6, 7}.clone();
        };
    }

    private static Acls.Entries open() {
        return Acls.open();
    }

    private Acls.Entries acl() {
        return random.nextInt(3) > 0 ? Acls.open() : Acls.any(random);
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private String pick(String[] from) {
        return from[random.nextInt(from.length)];
    }

    private int pick(int[] from) {
        return from[random.nextInt(from.length)];
    }

    private static String shown(String path) {
        if (path == null) {
            return "null";
        }
        var text = new StringBuilder();
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            text.append(c > ' ' && c < 0x7f ? "" + c : String.format("\\u%04x", (int) c));
        }
        return text.isEmpty() ? "''" : text.toString();
    }
}
