package dev.ensemble.server.auth;

import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.sasl.AuthorizeCallback;
import javax.security.sasl.RealmCallback;
import javax.security.sasl.SaslException;
import javax.security.sasl.SaslServer;

/// One connection's SASL exchange, with DIGEST-MD5.
///
/// Owned by the connection's I/O thread. The exchange begins when the first token comes, so that
/// connections that never send one cost nothing.
public final class SaslExchange {
    /// What comes of a token.
    public sealed interface Step {
        /// @param token for the client; null for none
        /// @param ids whom it has proved to be, if this was the last step; else empty
        record Answer(byte @Nullable [] token, List<Id> ids) implements Step {}

        record Failed(String reason) implements Step {}
    }

    // ZooKeeper's clients and servers agree on these, whatever their hosts are called.
    private static final String MECHANISM = "DIGEST-MD5";
    private static final String PROTOCOL = "zookeeper";
    private static final String SERVER = "zk-sasl-md5";

    private final Sasl scheme;
    private final Map<String, String> users;
    private @Nullable SaslServer server;

    SaslExchange(Sasl scheme, Map<String, String> users) {
        this.scheme = scheme;
        this.users = users;
    }

    /// {@return what to answer}
    public Step step(byte[] token) {
        try {
            if (server == null || server.isComplete()) {
                // The original cannot begin again on one connection; that a client may, costs
                // nothing.
                server =
                        javax.security.sasl.Sasl.createSaslServer(
                                MECHANISM, PROTOCOL, SERVER, null, this::tell);
            }
            SaslServer exchange = server;
            if (exchange == null) {
                return new Step.Failed("this Java has no " + MECHANISM);
            }
            byte[] answer = exchange.evaluateResponse(token);
            return new Step.Answer(
                    answer,
                    exchange.isComplete() ? scheme.ids(exchange.getAuthorizationID()) : List.of());
        } catch (SaslException e) {
            server = null;
            return new Step.Failed("" + e.getMessage());
        }
    }

    private void tell(Callback[] callbacks) {
        String password = null;
        for (Callback callback : callbacks) {
            switch (callback) {
                case NameCallback name -> {
                    password = users.get(name.getDefaultName());
                    name.setName(name.getDefaultName());
                }
                case PasswordCallback asked -> {
                    if (password != null) {
                        asked.setPassword(password.toCharArray());
                    }
                }
                case RealmCallback realm -> realm.setText(realm.getDefaultText());
                case AuthorizeCallback asked -> {
                    // Nobody acts for somebody else, as in the original.
                    asked.setAuthorized(true);
                    asked.setAuthorizedID(asked.getAuthenticationID());
                }
                default -> {}
            }
        }
    }
}
