package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Member;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Whether connections are secured as the spec asks, by certificates that are valid.
final class CertificateFinding {
    /// A certificate with less time left is late: ours are renewed with 30 days left.
    private static final Duration ALARM = Duration.ofDays(3);

    private CertificateFinding() {}

    /// @param rotation what the replacement of the authority waits for; null if there is none
    static Finding of(Observed seen, @Nullable String rotation, Instant now) {
        Observed.Tls tls = seen.tls();
        if (tls.equals(Observed.Tls.OFF)) {
            return Finding.is(Reason.TLSOff, "Nothing is to speak TLS.");
        }
        List<String> ended = new ArrayList<>();
        List<String> ending = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        List<String> silent = new ArrayList<>();
        for (Member member : seen.expected()) {
            Observed.Said said = member.said();
            Observed.Shown links = said == null ? null : said.links();
            Observed.Shown clients = said == null ? null : said.clients();
            for (Observed.Shown shown : Arrays.asList(links, clients)) {
                if (shown == null) {
                    continue;
                }
                String until = "%s until %s".formatted(member.name(), shown.notAfter());
                if (!now.isBefore(shown.notAfter())) {
                    ended.add(until);
                } else if (!now.isBefore(shown.notAfter().minus(ALARM))) {
                    ending.add(until);
                }
                if (shown.refused() != null) {
                    refused.add(member.name() + ": " + shown.refused());
                }
            }
            if ((tls.is().peers().on() && links == null)
                    || (tls.is().clients().on() && clients == null)) {
                silent.add(member.name());
            }
        }
        if (!ended.isEmpty()) {
            return Finding.not(
                    Reason.CertificateExpired,
                    "Certificates have ended: " + String.join("; ", ended));
        }
        if (!refused.isEmpty()) {
            return Finding.not(
                    Reason.CertificateRefused,
                    "Changed files are not used by " + String.join("; ", refused));
        }
        if (!ending.isEmpty()) {
            return Finding.not(
                    Reason.CertificateExpiring,
                    "Certificates end soon: " + String.join("; ", ending));
        }
        if (!tls.is().equals(tls.target())) {
            return Finding.not(
                    Reason.TLSMoving,
                    "Now: %s. On the way to: %s.".formatted(tls.is().says(), tls.target().says()));
        }
        if (!silent.isEmpty()) {
            return Finding.unknown(
                    Reason.CertificatesUnknown,
                    "No certificate is known of " + String.join("; ", silent));
        }
        return rotation == null
                ? Finding.is(
                        Reason.CertificatesInUse,
                        "As the spec asks: %s.".formatted(tls.is().says()))
                : Finding.is(
                        Reason.AuthorityRotating,
                        "The authority is being replaced, and waits for " + rotation);
    }
}
