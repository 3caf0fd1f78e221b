package dev.ensemble.server.tree;

/// The rules for paths of znodes (`client-protocol` section 9; `PathUtils` in the original).
public final class Paths {
    public static final String ROOT = "/";
    public static final String SYSTEM = "/zookeeper";
    public static final String QUOTA = "/zookeeper/quota";
    public static final String CONFIG = "/zookeeper/config";

    private Paths() {}

    /// {@return whether a znode may have this path}
    public static boolean isValid(String path) {
        int length = path.length();
        if (length == 0 || path.charAt(0) != '/') {
            return false;
        }
        if (length == 1) {
            return true;
        }
        int segment = 1;
        for (int i = 1; i < length; i++) {
            char c = path.charAt(i);
            if (c == '/') {
                if (!isName(path, segment, i)) {
                    return false;
                }
                segment = i + 1;
            } else if (!isAllowed(c)) {
                return false;
            }
        }
        return isName(path, segment, length);
    }

    /// {@return whether the path always exists and can never be deleted}
    public static boolean isReserved(String path) {
        return path.equals(ROOT)
                || path.equals(SYSTEM)
                || path.equals(QUOTA)
                || path.equals(CONFIG);
    }

    /// {@return the path of the parent of a valid path other than `/`}
    public static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash == 0 ? ROOT : path.substring(0, slash);
    }

    /// {@return the path of a child}
    static String child(String parent, String name) {
        return parent.length() == 1 ? ROOT + name : parent + '/' + name;
    }

    /// {@return where the segment that begins at `from` ends}
    static int segmentEnd(byte[] path, int from) {
        int end = from;
        while (end < path.length && path[end] != '/') {
            end++;
        }
        return end;
    }

    private static boolean isName(String path, int from, int to) {
        return switch (to - from) {
            case 0 -> false;
            case 1 -> path.charAt(from) != '.';
            case 2 -> path.charAt(from) != '.' || path.charAt(from + 1) != '.';
            default -> true;
        };
    }

    /// Of UTF-16 units: surrogates, and with them every supplementary character, are among what is
    /// refused.
    private static boolean isAllowed(char c) {
        return c > '\u001f'
                && (c < '\u007f' || c > '\u009f')
                && (c < '\ud800' || c > '\uf8ff')
                && c < '\ufff0';
    }
}
