package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.Map;

class ApiWritesTest {
    private static final String BEFORE =
            """
            # HELP apiserver_request_total [STABLE] Counter of apiserver requests.
            apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="status",verb="PATCH",version="v1"} 3
            apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 1
            apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"} 50
            """;

    @Test
    void countsWritesAndNoReads() {
        assertEquals(Map.of("pods/status", 3L, "pods", 1L), ApiWrites.parse(BEFORE).byResource());
    }

    @Test
    void tellsWhatWasWrittenSince() {
        String after =
                BEFORE.replace("} 3\n", "} 5\n").replace("} 50\n", "} 60\n")
                        + """
                        apiserver_request_total{code="409",component="apiserver",dry_run="",group="ensemble.dev",resource="ensembles",scope="resource",subresource="status",verb="APPLY",version="v1alpha1"} 1e+01
                        """;

        ApiWrites since = ApiWrites.parse(after).since(ApiWrites.parse(BEFORE));

        assertEquals("ensembles/status 10, pods/status 2", since.text());
        assertEquals("none", ApiWrites.parse(BEFORE).since(ApiWrites.parse(after)).text());
    }
}
