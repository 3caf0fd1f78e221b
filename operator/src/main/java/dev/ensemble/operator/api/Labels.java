package dev.ensemble.operator.api;

import java.util.LinkedHashMap;
import java.util.Map;

/// Names, labels, annotations and ports of an ensemble's objects. They are frozen: a change would
/// leave objects behind, or make a StatefulSet that cannot be updated.
public final class Labels {
    public static final int CLIENT_PORT = 2181;

    /// Of clients that speak TLS.
    public static final int SECURE_PORT = 2281;

    public static final int PEER_PORT = 2888;

    /// Accepted in a server's address for the sake of existing files, and unused.
    public static final int ELECTION_PORT = 3888;

    public static final int ADMIN_PORT = 8080;
    public static final int METRICS_PORT = 7000;

    /// On StatefulSet and pods: the hash of all that needs a restart to change.
    public static final String REVISION = "ensemble.dev/revision";

    /// On the pods: the hash of that part of the configuration that needs a restart to change.
    public static final String CONFIG_HASH = "ensemble.dev/config-hash";

    /// On volume claims and StatefulSet: the ensemble that the data belongs to.
    public static final String ENSEMBLE_ID = "ensemble.dev/ensemble-id";

    /// On volume claims, StatefulSet and ConfigMap: when the ensemble first formed.
    public static final String BOOTSTRAPPED = "ensemble.dev/bootstrapped";

    /// On StatefulSet and ConfigMap: how many members there should be now. The StatefulSet's own
    /// number is 0 while the ensemble hibernates.
    public static final String SIZE = "ensemble.dev/size";

    /// On the resource: the revision whose restarts a person has approved.
    public static final String APPROVED = "ensemble.dev/approved";

    /// On volume claims, StatefulSet and ConfigMap: the last recovery that a person decided on, as
    /// the members are told it.
    public static final String RECOVERY = "ensemble.dev/recovery";

    /// On volume claims: the recovery for which no member may run, while a backup is put in the
    /// place of what they hold; empty once that is done.
    public static final String RESTORING = "ensemble.dev/restoring";

    /// On StatefulSet and ConfigMap: how far the members have come with TLS.
    public static final String TLS = "ensemble.dev/tls";

    public static final String MANAGER = "ensemble-operator";

    private Labels() {}

    /// {@return the labels that select the members of an ensemble}
    public static Map<String, String> selector(String ensemble) {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put("app.kubernetes.io/name", "ensemble");
        labels.put("app.kubernetes.io/instance", ensemble);
        labels.put("app.kubernetes.io/component", "server");
        return labels;
    }

    /// {@return the labels that select the pods that take backups of an ensemble}
    public static Map<String, String> backups(String ensemble) {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put("app.kubernetes.io/name", "ensemble-backup");
        labels.put("app.kubernetes.io/instance", ensemble);
        return labels;
    }

    /// {@return the labels of every object of an ensemble}
    public static Map<String, String> all(String ensemble) {
        Map<String, String> labels = selector(ensemble);
        labels.put("app.kubernetes.io/managed-by", MANAGER);
        return labels;
    }

    /// {@return the name of the Service that gives each member its address}
    public static String peers(String ensemble) {
        return ensemble + "-peers";
    }

    /// {@return the name of the Service that clients connect to}
    public static String client(String ensemble) {
        return ensemble + "-client";
    }

    /// {@return the name of the ConfigMap with `zoo.cfg`}
    public static String config(String ensemble) {
        return ensemble + "-config";
    }

    /// {@return the name of the Secret with the operator's authority}
    public static String authority(String ensemble) {
        return ensemble + "-authority";
    }

    /// {@return the name of the Secret with the members' keys and certificates}
    public static String keys(String ensemble) {
        return ensemble + "-tls";
    }

    /// {@return how the names of Secrets begin that cert-manager fills for the members}
    static String issuedForPeers(String ensemble) {
        return ensemble + "-tls-peer";
    }

    /// {@return how the names of Secrets begin that cert-manager fills for clients}
    static String issuedForClients(String ensemble) {
        return ensemble + "-tls-client";
    }

    /// {@return the name of the ConfigMap with the authorities that clients have to trust}
    public static String trusted(String ensemble) {
        return ensemble + "-ca";
    }

    /// {@return the name of a member's pod}
    public static String pod(String ensemble, int ordinal) {
        return ensemble + "-" + ordinal;
    }

    /// {@return the name of a member's volume claim}
    public static String claim(String ensemble, int ordinal) {
        return "data-" + pod(ensemble, ordinal);
    }

    /// {@return the ordinal of a member's volume claim, or -1 if it is none of this ensemble}
    public static int ordinal(String ensemble, String claim) {
        String prefix = "data-" + ensemble + "-";
        if (!claim.startsWith(prefix) || !claim.substring(prefix.length()).matches("[0-9]{1,3}")) {
            return -1;
        }
        return Integer.parseInt(claim.substring(prefix.length()));
    }
}
