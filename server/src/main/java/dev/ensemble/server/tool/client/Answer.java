package dev.ensemble.server.tool.client;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;

import java.util.Locale;

/// What a server answered.
///
/// @param err 0, or the number of a [Code], perhaps of one that this build does not know
/// @param reply nothing useful if `err` is not 0
public record Answer(long zxid, int err, Reply reply) {
    public boolean ok() {
        return err == Code.OK.number();
    }

    public boolean is(Code code) {
        return err == code.number();
    }

    /// {@return the code's name as ZooKeeper's Java client writes it (`NoNode`), or its number}
    public String codeName() {
        for (Code code : Code.values()) {
            if (is(code)) {
                var name = new StringBuilder();
                for (String word : code.name().split("_", -1)) {
                    name.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
                }
                return name.toString();
            }
        }
        return Integer.toString(err);
    }
}
