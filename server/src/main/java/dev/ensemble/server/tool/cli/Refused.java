package dev.ensemble.server.tool.cli;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.tool.client.Answer;

import java.io.Serial;

/// The server said no. The message is what `zkCli.sh` prints for it.
final class Refused extends Exception {
    @Serial private static final long serialVersionUID = 1;

    Refused(String message) {
        super(message);
    }

    static Refused of(Answer answer, String path) {
        return new Refused(text(answer, path));
    }

    private static String text(Answer answer, String path) {
        if (answer.is(Code.NO_NODE)) {
            return "Node does not exist: " + path;
        }
        if (answer.is(Code.NODE_EXISTS)) {
            return "Node already exists: " + path;
        }
        if (answer.is(Code.NOT_EMPTY)) {
            return "Node not empty: " + path;
        }
        if (answer.is(Code.NO_AUTH)) {
            return "Insufficient permission : " + path;
        }
        if (answer.is(Code.BAD_VERSION)) {
            return "version No is not valid : " + path;
        }
        if (answer.is(Code.NO_CHILDREN_FOR_EPHEMERALS)) {
            return "Ephemerals cannot have children: " + path;
        }
        if (answer.is(Code.INVALID_ACL)) {
            return "Acl is not valid : " + path;
        }
        if (answer.is(Code.QUOTA_EXCEEDED)) {
            return "Quota has exceeded : " + path;
        }
        if (answer.is(Code.NO_WATCHER)) {
            return "KeeperErrorCode = No such watcher for " + path;
        }
        return "KeeperErrorCode = " + answer.codeName() + " for " + path;
    }
}
