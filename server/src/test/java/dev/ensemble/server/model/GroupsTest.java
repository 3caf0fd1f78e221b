package dev.ensemble.server.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What is a quorum with groups and weights, and how they are read.
final class GroupsTest {
    /// @param lines of groups and weights, with `;` between them
    private static Ensemble of(int voters, String lines) {
        var members =
                IntStream.rangeClosed(1, voters)
                        .mapToObj(id -> MemberLine.parse("server." + id + "=h" + id + ":1:2"))
                        .toList();
        var groups = new GroupLines();
        for (String line : lines.split(";", -1)) {
            int equals = line.indexOf('=');
            groups.add(line.substring(0, equals), line.substring(equals + 1));
        }
        return Ensemble.declared("e", members).with(groups.of(members));
    }

    private static Set<Integer> ids(String list) {
        return Arrays.stream(list.split(" ", -1))
                .filter(id -> !id.isEmpty())
                .map(Integer::valueOf)
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @DisplayName("b295: more than half of the weight, in more than half of the groups that weigh")
    @CsvSource({
        "9, group.1=1:2:3;group.2=4:5:6;group.3=7:8:9,                   1 2 4 5,     true",
        "9, group.1=1:2:3;group.2=4:5:6;group.3=7:8:9,                   1 4 7 2,     false",
        "9, group.1=1:2:3;group.2=4:5:6;group.3=7:8:9,                   1 2 3 4 7,   false",
        "9, group.1=1:2:3;group.2=4:5:6;group.3=7:8:9,                   8 9 5 6,     true",
        "9, group.1=1:2:3;group.2=4:5:6;group.3=7:8:9;weight.7=0;weight.8=0;weight.9=0, 1 2 7 8 9,"
                + " false",
        "9, group.1=1:2:3;group.2=4:5:6;group.3=7:8:9;weight.7=0;weight.8=0;weight.9=0, 1 2 4 5,"
                + " true",
        "3, group.1=1:2:3;weight.1=3,                                    1,           true",
        "3, group.1=1:2:3;weight.1=3,                                    2 3,         false",
        "2, group.1=1:2;weight.1=2147483647;weight.2=2147483647,         1,           false",
        "2, group.1=1:2;weight.1=2147483647;weight.2=2147483647,         1 2,         true",
        "3, group.1=1:2:3,                                               '',          false"
    })
    void quorums(int voters, String lines, String some, boolean expected) {
        assertEquals(expected, of(voters, lines).isQuorum(ids(some)::contains));
    }

    @Test
    @DisplayName("any two quorums share a voter that weighs something, and the fewest are enough")
    void quorumsMeet() {
        for (long seed = 0; seed < 300; seed++) {
            var random = new SplittableRandom(seed);
            int voters = random.nextInt(1, 7);
            var lines = new StringBuilder("weight.1=1");
            for (int id = 2; id <= voters; id++) {
                lines.append(";weight.").append(id).append('=').append(random.nextInt(4));
            }
            int groups = random.nextInt(1, 4);
            var lists = new StringBuilder[groups];
            for (int id = 1; id <= voters; id++) {
                int group = random.nextInt(groups);
                lists[group] =
                        lists[group] == null
                                ? new StringBuilder("" + id)
                                : lists[group].append(':').append(id);
            }
            for (int group = 0; group < groups; group++) {
                if (lists[group] != null) {
                    lines.append(";group.").append(group).append('=').append(lists[group]);
                }
            }
            check(of(voters, lines.toString()), voters, "seed " + seed);
        }
    }

    private static void check(Ensemble ensemble, int voters, String what) {
        int fewest = voters + 1;
        for (int a = 0; a < 1 << voters; a++) {
            int one = a;
            if (!ensemble.isQuorum(id -> (one >> (id - 1) & 1) == 1)) {
                continue;
            }
            fewest = Math.min(fewest, Integer.bitCount(a));
            for (int b = 0; b < 1 << voters; b++) {
                int other = b;
                if (ensemble.isQuorum(id -> (other >> (id - 1) & 1) == 1)) {
                    assertTrue(
                            IntStream.rangeClosed(1, voters)
                                    .anyMatch(id ->
                                            ((one & other) >> (id - 1) & 1) == 1
                                                    && ensemble.mayLead(id)),
                            what);
                }
            }
        }
        assertEquals(fewest, ensemble.needed(), what);
    }

    @Test
    @DisplayName("b278: who weighs nothing may not lead")
    void weightless() {
        var ensemble = of(3, "group.1=1:2:3;weight.2=0");
        assertTrue(ensemble.mayLead(1));
        assertFalse(ensemble.mayLead(2));
    }

    @Test
    @DisplayName("as ZooKeeper writes it: the weight of each voter, the version last")
    void text() {
        assertEquals(
                """
                server.1=h1:1:2:participant
                server.2=h2:1:2:participant
                server.3=h3:1:2:participant
                group.1=1:3
                group.7=2
                weight.1=1
                weight.2=4
                weight.3=1
                version=10\
                """,
                of(3, "group.7=2;group.1=1:3;weight.2=4").at(16).text());
        assertEquals(of(2, "group.1=1:2"), of(2, "group.1=1:2;weight.1=1"), "said or not, it is 1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    group.1=1:2            | server.3 is in no group: with groups every participant must be in one
                    group.1=1:2:3;group.2=3 | group.2=3 is not valid: member 3 is in another group, or named twice
                    group.1=1:2:3;group.1=1 | group.1=1 is not valid: group.1 is given twice
                    group.1=1:2:3:4        | group.1=1:2:3:4 is not valid: there is no server.4
                    group.1=1:2:3;weight.5=2 | weight.5=2 is not valid: there is no server.5
                    group.x=1:2:3          | group.x=1:2:3 is not valid: it must be a whole number of at least 0
                    group.1=1:two          | group.1=1:two is not valid: it must be a whole number from 1 to 254
                    group.1=               | group.1= is not valid: it must be a whole number from 1 to 254
                    weight.1=-1            | weight.1=-1 is not valid: it must be a whole number of at least 0
                    weight.1=1;weight.1=1  | weight.1=1 is not valid: weight.1 is given twice
                    weight.1=3             | weight.1 is not valid without groups: group.N=myid:myid:... must name every participant
                    group.1=1:2:3;weight.1=0;weight.2=0;weight.3=0 | weight.* leaves no quorum: at least one participant must weigh more than 0
                    """)
    void whatIsWrongIsNamed(String lines, String expected) {
        var e = assertThrows(IllegalArgumentException.class, () -> of(3, lines));
        assertEquals(expected, e.getMessage());
    }
}
