package dev.ensemble.operator.tool;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSchedule;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleSpec;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.CustomResource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// Writes the resource definition in `crds/` from the classes in `api`. Run by a person after a
/// change there; a test says when the file is out of date.
public final class CrdMain {
    /// The names of the files inside `crds/`, and what each defines.
    static final Map<String, Class<? extends CustomResource<?, ?>>> FILES =
            Map.of(
                    "ensembles.ensemble.dev-v1.yaml",
                    Ensemble.class,
                    "ensemblerecoveries.ensemble.dev-v1.yaml",
                    EnsembleRecovery.class,
                    "ensemblebackups.ensemble.dev-v1.yaml",
                    EnsembleBackup.class,
                    "ensemblebackupschedules.ensemble.dev-v1.yaml",
                    EnsembleBackupSchedule.class);

    private static final List<String> COLUMNS =
            List.of(
                    "ENSEMBLE",
                    "CRON",
                    "READY",
                    "LEADER",
                    "QUORUM",
                    "CANLOSE",
                    "VERSION",
                    "PHASE",
                    "SURVIVOR",
                    "PLAN",
                    "TAKEN",
                    "ZXID",
                    "FILE",
                    "COMPLETE",
                    "AGE",
                    "MESSAGE",
                    "WAITING-FOR",
                    "ENDPOINT",
                    "ENSEMBLE-ID",
                    "ZNODES",
                    "CLIENTS",
                    "WRITES/S");

    private CrdMain() {}

    /// Writes the definition.
    ///
    /// @param args the folders to write to: `crds`, and the chart's copy of it
    public static void main(String[] args) throws IOException {
        for (String folder : args) {
            for (var file : FILES.entrySet()) {
                Files.writeString(Path.of(folder, file.getKey()), definition(file.getValue()));
            }
        }
    }

    /// {@return the definition as YAML}
    static String definition(Class<? extends CustomResource<?, ?>> type) throws IOException {
        Path folder = Files.createTempDirectory("crd");
        try {
            int written =
                    new CRDGenerator()
                            .customResourceClasses(type)
                            .forCRDVersions("v1")
                            .withPostProcessor(new Finish())
                            .inOutputDir(folder.toFile())
                            .generate();
            if (written != 1) {
                throw new IllegalStateException("expected one definition, got " + written);
            }
            String yaml;
            try (var files = Files.list(folder)) {
                yaml = Files.readString(files.findFirst().orElseThrow());
            }
            return "# Generated from operator/src/main/java/dev/ensemble/operator/api by CrdMain.\n"
                    + yaml.substring(yaml.indexOf("apiVersion:"));
        } finally {
            try (var files = Files.list(folder)) {
                for (Path each : files.toList()) {
                    Files.delete(each);
                }
            }
            Files.delete(folder);
        }
    }

    /// What the generator cannot do: columns in our order, lists that merge by key, and limits on
    /// the values of a map.
    private static final class Finish implements CRDPostProcessor {
        @Override
        public HasMetadata process(HasMetadata made, String version) {
            finish((CustomResourceDefinition) made);
            return made;
        }
    }

    private static void finish(CustomResourceDefinition crd) {
        for (CustomResourceDefinitionVersion each : crd.getSpec().getVersions()) {
            List<CustomResourceColumnDefinition> columns =
                    new ArrayList<>(each.getAdditionalPrinterColumns());
            columns.sort((a, b) -> COLUMNS.indexOf(a.getName()) - COLUMNS.indexOf(b.getName()));
            each.setAdditionalPrinterColumns(columns);
            JSONSchemaProps root = each.getSchema().getOpenAPIV3Schema();
            if (crd.getSpec().getNames().getKind().equals("EnsembleBackup")) {
                root.setDescription(
                        "One backup of an Ensemble, taken when this is made. Deleting it deletes no"
                                + " backup.");
                property(root, "spec")
                        .setDescription(
                                "What is to be backed up, and where to. Cannot be changed"
                                        + " afterwards.");
                property(root, "status").setDescription("How far the backup is.");
                root.setRequired(List.of("spec"));
                withoutTwins(root);
                continue;
            }
            if (crd.getSpec().getNames().getKind().equals("EnsembleBackupSchedule")) {
                root.setDescription(
                        "Backups of an Ensemble at given times: each is an EnsembleBackup that this"
                                + " makes. Deleting it deletes those, and no backup.");
                property(root, "spec")
                        .setDescription(
                                "What is to be backed up when, where to, and what is kept.");
                property(root, "status").setDescription("What the schedule has done.");
                root.setRequired(List.of("spec"));
                withoutTwins(root);
                continue;
            }
            if (crd.getSpec().getNames().getKind().equals("EnsembleRecovery")) {
                root.setDescription(
                        "Lets an Ensemble that has lost its quorum for good go on with the data of"
                                + " one member, once a person has approved the operator's plan.");
                property(root, "spec")
                        .setDescription("What is to be recovered, and what a person has approved.");
                property(root, "status").setDescription("How far the recovery is.");
                root.setRequired(List.of("spec"));
                withoutTwins(root);
                continue;
            }
            root.setDescription(
                    "A replicated coordination service that speaks ZooKeeper's client protocol.");
            JSONSchemaProps spec = property(root, "spec");
            // The rules of the spec are checked against its default before that is filled in
            // further.
            spec.setDefault(
                    JsonNodeFactory.instance
                            .objectNode()
                            .put("replicas", EnsembleSpec.defaults().replicas())
                            .put("firstMyid", EnsembleSpec.defaults().firstMyid()));
            JSONSchemaProps config = property(spec, "config");
            config.setMaxProperties(128L);
            config.setMaxItems(null);
            config.getAdditionalProperties().getSchema().setMaxLength(1024L);
            limitItems(property(property(spec, "jvm"), "options"), 256);
            limitItems(property(property(spec, "image"), "pullSecrets"), 253);
            JSONSchemaProps template = property(spec, "podTemplate");
            for (String map : List.of("labels", "annotations")) {
                JSONSchemaProps values = property(property(template, "metadata"), map);
                values.setMaxProperties(64L);
                values.setMaxItems(null);
            }
            JSONSchemaProps pod = property(template, "spec");
            property(pod, "nodeSelector").setMaxProperties(64L);
            property(pod, "nodeSelector").setMaxItems(null);
            anything(property(pod, "resources"));
            anything(property(pod, "affinity"));
            anything(property(pod, "tolerations").getItems().getSchema());
            JSONSchemaProps network = property(spec, "networkPolicy");
            anything(property(network, "clientsFrom").getItems().getSchema());
            JSONSchemaProps status = property(root, "status");
            status.setDescription("What the operator saw, and what it waits for.");
            spec.setDescription("What the ensemble should be.");
            property(status, "conditions").setDescription("Conditions, by type.");
            mergeBy(property(status, "conditions"), "type");
            mergeBy(property(status, "members"), "myid");
            describeConditions(property(status, "conditions").getItems().getSchema());
            withoutTwins(root);
        }
    }

    private static JSONSchemaProps property(JSONSchemaProps parent, String name) {
        JSONSchemaProps child = parent.getProperties().get(name);
        if (child == null) {
            throw new IllegalStateException("no property " + name);
        }
        return child;
    }

    private static void limitItems(JSONSchemaProps list, long characters) {
        list.getItems().getSchema().setMaxLength(characters);
    }

    private static void anything(JSONSchemaProps object) {
        object.setType("object");
        object.setAdditionalProperties(null);
        object.setProperties(null);
        object.setXKubernetesPreserveUnknownFields(true);
    }

    private static void mergeBy(JSONSchemaProps list, String key) {
        list.setXKubernetesListType("map");
        list.setXKubernetesListMapKeys(List.of(key));
        list.getItems().getSchema().setRequired(List.of(key));
    }

    private static void describeConditions(JSONSchemaProps condition) {
        condition.setDescription("A condition.");
        property(condition, "type").setDescription("What it is about.");
        property(condition, "status").setDescription("True, False or Unknown.");
        property(condition, "reason").setDescription("Why, in one word for programs.");
        property(condition, "message").setDescription("Why, in words for people.");
        property(condition, "lastTransitionTime").setDescription("When the status changed last.");
        property(condition, "observedGeneration")
                .setDescription("Generation of the spec that it is about.");
    }

    /// A record's annotation is on its field and on its accessor, so the generator finds it twice.
    private static void withoutTwins(JSONSchemaProps schema) {
        if (schema.getXKubernetesValidations() != null) {
            schema.setXKubernetesValidations(
                    new ArrayList<>(new LinkedHashSet<>(schema.getXKubernetesValidations())));
        }
        if (schema.getProperties() != null) {
            schema.getProperties().values().forEach(CrdMain::withoutTwins);
        }
        if (schema.getItems() != null && schema.getItems().getSchema() != null) {
            withoutTwins(schema.getItems().getSchema());
        }
    }
}
