package dev.ensemble.server.auth;

import io.netty.util.NetUtil;

import org.jspecify.annotations.Nullable;

/// The ids of the scheme `ip`: an address, or the first bits of one, `10.0.0.0/8`.
final class IpRange {
    private IpRange() {}

    static boolean isValid(String range) {
        byte[] address = address(range);
        return address != null && bits(range, address.length) >= 0;
    }

    /// {@return whether `address` is in `range`; never across the two families}
    static boolean covers(String range, String address) {
        byte[] wanted = address(range);
        byte[] actual = parse(address);
        if (wanted == null || actual == null || wanted.length != actual.length) {
            return false;
        }
        int bits = bits(range, wanted.length);
        return bits >= 0 && sameStart(wanted, actual, bits);
    }

    private static boolean sameStart(byte[] one, byte[] other, int bits) {
        for (int i = 0; i < bits; i++) {
            int mask = 0x80 >> i % 8;
            if (((one[i / 8] ^ other[i / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    private static byte @Nullable [] address(String range) {
        int slash = range.indexOf('/');
        return parse(slash < 0 ? range : range.substring(0, slash));
    }

    /// {@return how many bits count, or -1 if the text does not say}
    private static int bits(String range, int addressBytes) {
        int slash = range.indexOf('/');
        if (slash < 0) {
            return addressBytes * 8;
        }
        try {
            int bits = Integer.parseInt(range.substring(slash + 1));
            return bits <= addressBytes * 8 ? Math.max(bits, -1) : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /// Neither brackets nor scopes, nor an IPv4 address inside of an IPv6 one: the original knows
    /// none of them.
    private static byte @Nullable [] parse(String text) {
        boolean six = text.indexOf(':') >= 0;
        if (text.indexOf('[') >= 0 || text.indexOf('%') >= 0 || (six && text.indexOf('.') >= 0)) {
            return null;
        }
        return six || NetUtil.isValidIpV4Address(text)
                ? NetUtil.createByteArrayFromIpAddressString(text)
                : null;
    }
}
