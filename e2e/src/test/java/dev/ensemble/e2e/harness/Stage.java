package dev.ensemble.e2e.harness;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.opentest4j.TestAbortedException;

import java.util.Locale;

/// Lets a test have a `Story`, by a parameter of that type. Tests are skipped where there is no
/// cluster. Cluster and operator are there once for all stories of a run.
public final class Stage implements ExecutionCondition, ParameterResolver, AfterEachCallback {
    private static final ExtensionContext.Namespace KEPT =
            ExtensionContext.Namespace.create(Stage.class);

    /// What is there for all stories of a run.
    private sealed interface Theatre {
        /// @param reason why there is none
        record Closed(String reason) implements Theatre {}

        /// JUnit closes it when the run ends.
        record Open(Settings settings, Cluster cluster, Operator operator)
                implements Theatre, AutoCloseable {
            @Override
            public void close() {
                operator.close();
                cluster.close();
            }
        }

        static Theatre find() {
            Settings settings = Settings.of(System.getenv());
            return switch (Cluster.find(settings)) {
                case Cluster.Found.Here(Cluster cluster) ->
                        new Open(settings, cluster, new Operator(cluster, settings));
                case Cluster.Found.None(String reason) -> new Closed(reason);
            };
        }
    }

    private static Theatre theatre(ExtensionContext context) {
        return context.getRoot()
                .getStore(KEPT)
                .getOrComputeIfAbsent(Theatre.class, _ -> Theatre.find(), Theatre.class);
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return switch (theatre(context)) {
            case Theatre.Closed(String reason) -> {
                System.out.println(context.getDisplayName() + " is skipped: " + reason);
                yield ConditionEvaluationResult.disabled(reason);
            }
            case Theatre.Open _ -> ConditionEvaluationResult.enabled("there is a cluster");
        };
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Story.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return switch (theatre(context)) {
            case Theatre.Closed(String reason) -> throw new IllegalStateException(reason);
            case Theatre.Open open -> {
                var story =
                        new Story(open.cluster(), open.settings(), open.operator(), name(context));
                context.getStore(KEPT).put(Story.class, story);
                story.open();
                yield story;
            }
        };
    }

    /// `DayTwoIT` is told in the folder and the namespace `day-two`.
    private static String name(ExtensionContext context) {
        return context.getRequiredTestClass()
                .getSimpleName()
                .replaceAll("IT$", "")
                .replaceAll("(?<=[a-z])(?=[A-Z])", "-")
                .toLowerCase(Locale.ROOT);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        Story story = context.getStore(KEPT).remove(Story.class, Story.class);
        if (story == null) {
            return;
        }
        context.getExecutionException()
                .filter(e -> !(e instanceof TestAbortedException))
                .ifPresent(story::keepRemains);
        story.close();
    }
}
