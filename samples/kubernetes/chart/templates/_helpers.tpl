{{- define "wingmirror.name" -}}
{{- if contains "wingmirror" .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}{{ else }}{{ printf "%s-wingmirror" .Release.Name | trunc 53 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "wingmirror.selectorLabels" -}}
app.kubernetes.io/name: wingmirror
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wingmirror.labels" -}}
{{ include "wingmirror.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "wingmirror.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "wingmirror.config" -}}
{{- $kubernetes := dict "enabled" true "snapshot" "/var/lib/wingmirror/objects" "namespaces" .Values.kubernetes.namespaces "server" .Values.kubernetes.server }}
{{- $base := dict "capture" (dict "interfaces" "auto") "routes" (dict "kubernetes" $kubernetes) "metrics" (dict "listen" (printf "%s:%v" .Values.metrics.address .Values.metrics.port)) "log" (dict "level" "info" "format" "json") }}
{{- mustMergeOverwrite $base (deepCopy .Values.config) | toYaml }}
{{- end }}
