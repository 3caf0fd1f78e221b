package dev.ensemble.server.net;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// What a client is answered once its write is applied.
final class Answers {
    private Answers() {}

    static Reply of(Request.Write request, Result result) {
        return switch (result) {
            case Result.Created(String path, var stat) ->
                    hasStat(request) ? new Reply.Created(path, stat) : new Reply.Path(path);
            case Result.Changed(var stat) -> new Reply.Stats(stat);
            case Result.Deleted(), Result.Checked(), Result.SessionClosed _ -> new Reply.None();
            case Result.Parts(var results) -> new Reply.Parts(parts(request, results));
            case Result.Failed(Code code) -> new Reply.Failed(code);
            case Result.FailedParts(var codes) -> new Reply.Parts(failed(codes));
            case Result.Configured(var ensemble, var stat) ->
                    new Reply.Data(ensemble.text().getBytes(StandardCharsets.UTF_8), stat);
            case Result.Attached _ ->
                    throw new IllegalStateException("an attach answers " + request);
        };
    }

    private static boolean hasStat(Request.Write request) {
        return !(request instanceof Request.Create create)
                || create.op() != Request.CreateOp.CREATE;
    }

    private static List<Reply> parts(Request.Write request, List<Result> results) {
        if (!(request instanceof Request.Multi(var requests))
                || requests.size() != results.size()) {
            throw new IllegalStateException(results.size() + " results answer " + request);
        }
        var replies = new ArrayList<Reply>(results.size());
        for (int i = 0; i < results.size(); i++) {
            replies.add(of(requests.get(i), results.get(i)));
        }
        return replies;
    }

    private static List<Reply> failed(List<Code> codes) {
        return codes.stream().<Reply>map(Reply.Failed::new).toList();
    }
}
