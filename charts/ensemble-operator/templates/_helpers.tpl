{{- define "ensemble-operator.name" -}}
{{- if contains "ensemble-operator" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-ensemble-operator" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "ensemble-operator.account" -}}
{{- default (include "ensemble-operator.name" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "ensemble-operator.selector" -}}
app.kubernetes.io/name: ensemble-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ensemble-operator.labels" -}}
{{ include "ensemble-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What the operator may do where its Ensembles are. */}}
{{- define "ensemble-operator.rules" -}}
- apiGroups: [ensemble.dev]
  resources: [ensembles, ensemblerecoveries, ensemblebackups, ensemblebackupschedules]
  verbs: [get, list, watch]
- apiGroups: [ensemble.dev]
  resources: [ensembles/status, ensemblerecoveries/status, ensemblebackups/status, ensemblebackupschedules/status]
  verbs: [get, patch]
# A schedule makes them, and removes those that are over.
- apiGroups: [ensemble.dev]
  resources: [ensemblebackups]
  verbs: [create, delete]
- apiGroups: [apps]
  resources: [statefulsets]
  # Deleted only as an orphan, to be made anew under its running pods with larger volumes.
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch]
# The authority of an ensemble with TLS, and what it signs. Without this rule TLS works with Secrets that somebody else makes.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, update]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch]
# Certificates from cert-manager, where a spec has an issuerRef.
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [get, create]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
# Restarts: healthy members through the Eviction API, pods of voters that are out directly.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
# It writes on volume claims whose data they hold, lets them grow, and deletes those of removed members where the Ensemble says so.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
# One Job for each EnsembleBackup, and for an Ensemble that begins with one, whose first volume claim it makes.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, create]
- apiGroups: [""]
  resources: [events]
  verbs: [list, create]
{{- end }}
