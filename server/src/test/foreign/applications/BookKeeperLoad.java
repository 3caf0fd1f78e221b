import org.apache.bookkeeper.client.BookKeeper;
import org.apache.bookkeeper.client.BookKeeper.DigestType;
import org.apache.bookkeeper.client.LedgerHandle;
import org.apache.bookkeeper.conf.ClientConfiguration;

import java.util.ArrayList;
import java.util.List;

/// Writes ledgers to two bookies that keep their metadata in this server, leaves every second one
/// open so that reading it recovers it, reads and deletes them. `java BookKeeperLoad
/// 'HOST:PORT;HOST:PORT' LEDGERS`
public class BookKeeperLoad {
    private static final byte[] PASSWORD = {'p'};

    public static void main(String[] arguments) throws Exception {
        var settings = new ClientConfiguration();
        settings.setMetadataServiceUri("zk+hierarchical://" + arguments[0] + "/ledgers");
        settings.setZkTimeout(30000);
        int ledgers = Integer.parseInt(arguments[1]);
        List<Long> ids = new ArrayList<>();
        int read = 0;
        try (var client = new BookKeeper(settings)) {
            for (int i = 0; i < ledgers; i++) {
                LedgerHandle ledger = client.createLedger(2, 2, 2, DigestType.CRC32, PASSWORD);
                for (int k = 0; k < 100; k++) {
                    ledger.addEntry(("e" + k).getBytes());
                }
                if (i % 2 == 0) {
                    ledger.close();
                }
                ids.add(ledger.getId());
            }
            for (long id : ids) {
                try (LedgerHandle ledger = client.openLedger(id, DigestType.CRC32, PASSWORD)) {
                    var entries = ledger.readEntries(0, ledger.getLastAddConfirmed());
                    for (; entries.hasMoreElements(); read++) {
                        entries.nextElement();
                    }
                }
                client.deleteLedger(id);
            }
        }
        System.out.println(ledgers + " ledgers, written " + 100 * ledgers + ", read " + read);
    }
}
