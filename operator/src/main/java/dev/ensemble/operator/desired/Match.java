package dev.ensemble.operator.desired;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Quantity;

import org.jspecify.annotations.Nullable;

import java.util.Map;

/// Whether what is there has everything that is wanted. What is there may have more: what the API
/// server filled in, and what others have added.
public final class Match {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Match() {}

    /// {@return the path of the first field that differs, or null if none does}
    @SuppressWarnings("ReferenceEquality") // A short cut: the same object has no difference.
    public static @Nullable String difference(HasMetadata there, HasMetadata wanted) {
        if (there == wanted) {
            return null;
        }
        return difference("", JSON.valueToTree(there), JSON.valueToTree(wanted));
    }

    private static @Nullable String difference(String path, JsonNode there, JsonNode wanted) {
        if (wanted.isNull() || (isEmpty(wanted) && (there.isNull() || isEmpty(there)))) {
            return null;
        }
        if (wanted.isObject()) {
            for (Map.Entry<String, JsonNode> field : wanted.properties()) {
                JsonNode other = there.get(field.getKey());
                String inner =
                        difference(
                                path + "." + field.getKey(),
                                other == null ? NullNode.instance : other,
                                field.getValue());
                if (inner != null) {
                    return inner;
                }
            }
            return null;
        }
        if (wanted.isArray()) {
            if (!there.isArray() || there.size() != wanted.size()) {
                return path;
            }
            for (int i = 0; i < wanted.size(); i++) {
                String inner = difference(path + "[" + i + "]", there.get(i), wanted.get(i));
                if (inner != null) {
                    return inner;
                }
            }
            return null;
        }
        return there.equals(wanted) || sameAmount(path, there, wanted) ? null : path;
    }

    private static boolean isEmpty(JsonNode node) {
        return node.isContainerNode() && node.isEmpty();
    }

    /// The API server writes amounts in its own way: `1000m` of CPU comes back as `1`.
    private static boolean sameAmount(String path, JsonNode there, JsonNode wanted) {
        boolean amount =
                path.contains(".resources.")
                        || path.endsWith(".sizeLimit")
                        || path.contains(".capacity.");
        if (!amount || !there.isValueNode() || there.isNull()) {
            return false;
        }
        try {
            return Quantity.parse(there.asText()).equals(Quantity.parse(wanted.asText()));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
