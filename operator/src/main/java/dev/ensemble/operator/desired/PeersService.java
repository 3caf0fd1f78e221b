package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;

/// The headless Service that gives each member its name. It publishes members that are not ready:
/// they find each other by it before there is a quorum that could make them ready.
public final class PeersService {
    private PeersService() {}

    public static Service of(Wanted wanted) {
        return new ServiceBuilder()
                .withMetadata(wanted.meta(Labels.peers(wanted.name())))
                .withNewSpec()
                .withType("ClusterIP")
                .withClusterIP("None")
                .withPublishNotReadyAddresses(true)
                .withSessionAffinity("None")
                .withSelector(Labels.selector(wanted.name()))
                .withPorts(
                        ClientService.port("client", Labels.CLIENT_PORT),
                        ClientService.port("peer", Labels.PEER_PORT),
                        ClientService.port("admin", Labels.ADMIN_PORT),
                        ClientService.port("metrics", Labels.METRICS_PORT))
                .endSpec()
                .build();
    }
}
