package dev.ensemble.e2e.client;

import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;

import java.net.Inet4Address;
import java.net.NetworkInterface;
import java.net.URI;

/// An S3-compatible store with one bucket, in memory, until standard input ends.
///
/// Its first lines on standard output are where it can be reached: an address and a port for each
/// address of this host. Arguments: bucket, id and secret of the key.
public final class Vault {
    private Vault() {}

    /// Runs the store.
    public static void main(String[] args) throws Exception {
        if (args.length != 3) {
            System.err.println("usage: Vault BUCKET KEY_ID SECRET");
            System.exit(2);
        }
        var kept = new TransientNio2BlobStore();
        kept.createContainer(args[0]);
        S3Proxy proxy =
                S3Proxy.builder()
                        .blobStore(kept)
                        .endpoint(URI.create("http://0.0.0.0:0"))
                        .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, args[1], args[2])
                        .build();
        proxy.start();
        NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(each -> each instanceof Inet4Address && !each.isLoopbackAddress())
                .forEach(each -> System.out.println(each.getHostAddress() + " " + proxy.getPort()));
        System.out.println("that is all");
        while (System.in.read() >= 0) {
            // Whoever started it holds its input open for as long as it is needed.
        }
        proxy.stop();
        System.exit(0);
    }
}
