package dev.ensemble.server.net;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.WatchEvent;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.stream.Collectors;

/// Writes who changed what, as ZooKeeper's audit log has it (`audit.enable`): fields behind each
/// other with a tab between, in the log under a name of its own.
///
/// Immutable; any thread. Each line comes from the member that the client is connected to; what a
/// session that ended took with it, from every member.
public final class Audit {
    private static final Logger LOG = LoggerFactory.getLogger("dev.ensemble.server.audit");
    private static final String[] CREATE_MODES = {
        "persistent",
        "ephemeral",
        "persistent_sequential",
        "ephemeral_sequential",
        "container",
        "persistent_with_ttl",
        "persistent_sequential_with_ttl"
    };

    private final String server;

    /// @param server the user as whom this process runs
    public Audit(String server) {
        this.server = server;
    }

    /// Who asks.
    record Client(long session, List<Id> identities, String address) {}

    /// One line, as it grows.
    private static final class Line {
        private final StringBuilder text = new StringBuilder();

        Line with(String field, @Nullable String value) {
            if (value != null) {
                text.append(text.isEmpty() ? "" : "\t").append(field).append('=');
                // A path may hold what would look like another field, or another line.
                value.chars().forEach(c -> text.append(c < ' ' ? '?' : (char) c));
            }
            return this;
        }

        void end(String result) {
            LOG.info(with("result", result).text.toString());
        }
    }

    /// This process starts or stops.
    ///
    /// @param result `success`, `failure` or `invoked`
    public void process(String operation, String result) {
        new Line().with("user", server).with("operation", operation).end(result);
    }

    /// A write was applied or refused.
    void written(Client client, Request.Write request, Result result) {
        switch (request) {
            case Request.Create create ->
                    line(client, "create", path(create, result))
                            .with("znode_type", mode(create.flags()))
                            .end(outcome(result));
            case Request.Delete(String path, int _) ->
                    line(client, "delete", path).end(outcome(result));
            case Request.SetData set -> line(client, "setData", set.path()).end(outcome(result));
            case Request.SetAcl set ->
                    line(client, "setAcl", set.path())
                            .with("acl", text(set.acl()))
                            .end(outcome(result));
            case Request.Reconfig _ -> line(client, "reconfig", null).end(outcome(result));
            case Request.Multi(List<Request.Write> parts) -> multi(client, parts, result);
            case Request.Check _, Request.CloseSession _, Request.MalformedWrite _ -> {}
        }
    }

    private void multi(Client client, List<Request.Write> parts, Result result) {
        if (result instanceof Result.Parts(List<Result> results)) {
            for (int i = 0; i < parts.size(); i++) {
                written(client, parts.get(i), results.get(i));
            }
        } else {
            line(client, "multiOperation", null).end("failure");
        }
    }

    private static Line line(Client client, String operation, @Nullable String path) {
        String users =
                client.identities().stream().map(Audit::user).collect(Collectors.joining(","));
        return new Line()
                .with("session", "0x" + Long.toHexString(client.session()))
                .with("user", users)
                .with("ip", client.address())
                .with("operation", operation)
                .with("znode", path);
    }

    /// A session's ephemerals went with it.
    void ended(long session, List<WatchEvent> events) {
        for (WatchEvent event : events) {
            if (event.type() == WatchEvent.Type.NODE_DELETED) {
                new Line()
                        .with("session", "0x" + Long.toHexString(session))
                        .with("user", server)
                        .with("operation", "ephemeralZNodeDeletionOnSessionCloseOrExpire")
                        .with("znode", event.path())
                        .end("success");
            }
        }
    }

    /// The digest of a password is nobody's business.
    private static String user(Id id) {
        int colon = id.id().indexOf(':');
        return id.scheme().equals("digest") && colon >= 0 ? id.id().substring(0, colon) : id.id();
    }

    private static @Nullable String path(Request.Create create, Result result) {
        return result instanceof Result.Created created ? created.path() : create.path();
    }

    private static @Nullable String mode(int flags) {
        return flags >= 0 && flags < CREATE_MODES.length ? CREATE_MODES[flags] : null;
    }

    private static @Nullable String text(@Nullable List<Acl> acl) {
        return acl == null ? null : acl.stream().map(Audit::text).collect(Collectors.joining());
    }

    private static String text(Acl entry) {
        var text = new StringBuilder();
        text.append(entry.id().scheme()).append(':').append(entry.id().id()).append(':');
        String letters = "rwcda";
        for (int index : new int[] {2, 3, 0, 1, 4}) { // In the order of the original: cdrwa.
            if ((entry.perms() & 1 << index) != 0) {
                text.append(letters.charAt(index));
            }
        }
        return text.toString();
    }

    private static String outcome(Result result) {
        return result instanceof Result.Failed(Code _) ? "failure" : "success";
    }
}
