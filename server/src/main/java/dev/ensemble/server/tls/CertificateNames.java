package dev.ensemble.server.tls;

import io.netty.util.NetUtil;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/// Whom a certificate is for: the names in its subject alternative names, or, as ZooKeeper does,
/// its common name if it has none.
record CertificateNames(List<String> hosts, List<String> addresses, List<String> uris) {
    private static final int DNS = 2;
    private static final int URI = 6;
    private static final int ADDRESS = 7;

    static CertificateNames of(X509Certificate certificate) {
        var hosts = new ArrayList<String>();
        var addresses = new ArrayList<String>();
        var uris = new ArrayList<String>();
        try {
            var names = certificate.getSubjectAlternativeNames();
            for (List<?> name : names == null ? List.<List<?>>of() : names) {
                switch ((Integer) name.get(0)) {
                    case DNS -> hosts.add("" + name.get(1));
                    case ADDRESS -> addresses.add("" + name.get(1));
                    case URI -> uris.add("" + name.get(1));
                    default -> {}
                }
            }
        } catch (CertificateParsingException _) {
            return new CertificateNames(List.of(), List.of(), List.of()); // Good for nobody.
        }
        if (hosts.isEmpty() && addresses.isEmpty() && uris.isEmpty()) {
            hosts.addAll(commonNames(certificate));
        }
        return new CertificateNames(hosts, addresses, uris);
    }

    private static List<String> commonNames(X509Certificate certificate) {
        var found = new ArrayList<String>();
        try {
            var subject = new LdapName(certificate.getSubjectX500Principal().getName());
            for (Rdn part : subject.getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    found.add("" + part.getValue());
                }
            }
        } catch (InvalidNameException _) {
            // Then it has no name that could be that of a host.
        }
        return found;
    }

    /// {@return whether it is for this host: a name, which a `*` may begin, or an address}
    boolean hasHost(String host) {
        byte[] address = NetUtil.createByteArrayFromIpAddressString(host);
        if (address != null) {
            return addresses.stream()
                    .map(NetUtil::createByteArrayFromIpAddressString)
                    .anyMatch(each -> Arrays.equals(each, address));
        }
        String wanted = withoutDot(host);
        return hosts.stream().anyMatch(each -> matches(withoutDot(each), wanted));
    }

    boolean hasUri(String uri) {
        return uris.contains(uri);
    }

    /// As RFC 6125 has it: a `*` stands for the whole first label, and for no more.
    private static boolean matches(String pattern, String host) {
        if (!pattern.startsWith("*.")) {
            return pattern.equals(host);
        }
        int dot = host.indexOf('.');
        String rest = pattern.substring(1);
        return dot > 0 && rest.length() > 1 && host.substring(dot).equals(rest);
    }

    private static String withoutDot(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    /// {@return all names, for a message}
    @Override
    public String toString() {
        var all = new ArrayList<>(hosts);
        all.addAll(addresses);
        all.addAll(uris);
        return all.isEmpty() ? "nobody" : String.join(", ", all);
    }
}
