package dev.ensemble.operator.desired;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.ensemble.operator.desired.ZooCfg.Bootstrap;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

final class ZooCfgTest {
    private static final List<ZooCfg.Voter> VOTERS = ZooCfg.voters("orders", "shop", 1, 3);

    private static ZooCfg file(Map<String, String> settings, Bootstrap bootstrap) {
        return ZooCfg.of(ZooCfg.Place.POD, settings, VOTERS, bootstrap, "some-uid");
    }

    @Test
    void theWholeFileOfAPod() {
        assertEquals(
                """
                tickTime=3000
                initLimit=10
                syncLimit=5
                maxClientCnxns=0
                dataDir=/var/lib/ensemble
                admin.enableServer=true
                admin.serverPort=8080
                admin.tokenFile=/run/ensemble/token
                admin.operatorKeys=/etc/ensemble/operator-keys.pem
                standaloneEnabled=false
                metricsProvider.httpPort=7000
                reconfigEnabled=true
                ensembleId=some-uid
                bootstrap=unanimous
                server.1=orders-0.orders-peers.shop.svc:2888:3888:participant;0.0.0.0:2181
                server.2=orders-1.orders-peers.shop.svc:2888:3888:participant;0.0.0.0:2181
                server.3=orders-2.orders-peers.shop.svc:2888:3888:participant;0.0.0.0:2181
                """,
                file(Map.of("maxClientCnxns", "0", "tickTime", " 3000 "), Bootstrap.UNANIMOUS)
                        .text());
    }

    /// The expected value comes from another tool: the sorted lines through `sha256sum`.
    @Test
    void theHashIsTheOneThatTheServerComputes() {
        ZooCfg file =
                new ZooCfg(
                        Map.of(
                                "tickTime", "2000",
                                "dataDir", "/var/lib/ensemble",
                                "ensembleId", "x",
                                "bootstrap", "unanimous",
                                "version", "100000000",
                                "group.1", "1:2:3",
                                "weight.1", "1",
                                "server.1", "a:1:2"));
        assertEquals(
                "81182c0fcf3ceafb5c7d362a88e2b0a52ccd2ddff36f43c2c5ba12c51bb74b46", file.hash());
    }

    @Test
    void theHashChangesOnlyWithWhatNeedsARestart() {
        String hash = file(Map.of(), Bootstrap.UNANIMOUS).hash();
        assertEquals(hash, file(Map.of(), Bootstrap.BOOTSTRAPPED).hash());
        assertEquals(
                hash,
                ZooCfg.of(
                                ZooCfg.Place.POD,
                                Map.of(),
                                ZooCfg.voters("orders", "shop", 1, 5),
                                Bootstrap.UNANIMOUS,
                                "another")
                        .hash());
        assertNotEquals(hash, file(Map.of("tickTime", "1000"), Bootstrap.UNANIMOUS).hash());
    }

    @Test
    void whatMembersTakeOverWhileTheyRunNeedsNoRestart() {
        ZooCfg plain = file(Map.of(), Bootstrap.UNANIMOUS);
        assertEquals(plain.hash(), plain.restartHash(), "an upgrade of the operator rolls nothing");
        for (String key : ZooCfg.LIVE) {
            for (String given : List.of(key, "zookeeper." + key)) {
                ZooCfg changed = file(Map.of(given, "1"), Bootstrap.UNANIMOUS);
                assertEquals(plain.restartHash(), changed.restartHash(), given);
                assertNotEquals(plain.hash(), changed.hash(), given);
            }
        }
        assertNotEquals(
                plain.restartHash(),
                file(Map.of("skipACL", "yes"), Bootstrap.UNANIMOUS).restartHash());
    }

    @Test
    void theyAreThoseOfTheServersPage() throws IOException {
        String page = Files.readString(Path.of("../server/docs/configuration.md"));
        Set<String> told = new TreeSet<>();
        page.substring(page.indexOf("## Changes while a member runs"), page.indexOf("## Keys"))
                .lines()
                .filter(line -> line.startsWith("* "))
                .map(line -> line.split(": ", 2)[0])
                .flatMap(line -> Pattern.compile("`([^`]+)`").matcher(line).results())
                .forEach(key -> told.add(key.group(1)));
        assertEquals(new TreeSet<>(ZooCfg.LIVE), told);
    }
}
