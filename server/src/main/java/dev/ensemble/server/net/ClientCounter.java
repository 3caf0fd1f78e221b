package dev.ensemble.server.net;

/// What is counted on the side of the clients, under ZooKeeper's names.
public enum ClientCounter {
    CONNECTION_REQUEST_COUNT("Handshakes of clients"),
    CONNECTION_REVALIDATE_COUNT("Handshakes that brought a session"),
    CONNECTION_REJECTED("Connections refused, since there were too many"),
    CONNECTION_DROP_COUNT("Connections that ended"),
    SESSIONLESS_CONNECTIONS_EXPIRED("Connections closed, since they asked for no session in time"),
    CNXN_CLOSED_WITHOUT_ZK_SERVER_RUNNING("Handshakes refused, since this member did not serve"),
    AUTH_FAILED_COUNT("Authentications refused"),
    UNSUCCESSFUL_HANDSHAKE("TLS handshakes that failed"),
    TLS_HANDSHAKE_EXCEEDED("Connections closed, since too many were shaking hands"),
    BYTES_RECEIVED_COUNT("Bytes of requests"),
    RESPONSE_BYTES("Bytes of replies"),
    WATCH_BYTES("Bytes of events");

    private final String help;

    ClientCounter(String help) {
        this.help = help;
    }

    public String help() {
        return help;
    }
}
