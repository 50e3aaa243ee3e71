{{- define "wingmirror.name" -}}
{{- if contains "wingmirror" .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}{{ else }}{{ printf "%s-wingmirror" .Release.Name | trunc 53 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/*
The name of what belongs to no namespace, or to another one than the release: another name for each release. No namespace has
a dot in its name, so that `eu` in `edge` and `wingmirror` in `edge-eu` share nothing.
*/}}
{{- define "wingmirror.clusterName" -}}
{{- $name := include "wingmirror.name" . }}
{{- if eq $name .Release.Namespace }}{{ $name }}{{ else }}{{ printf "%s.%s" .Release.Namespace $name }}{{ end }}
{{- end }}

{{/* The namespace of Istio, as the configuration or the values name it. */}}
{{- define "wingmirror.istioNamespace" -}}
{{- ((.Values.config).mesh).rootNamespace | default .Values.kubernetes.istioNamespace }}
{{- end }}

{{- define "wingmirror.selectorLabels" -}}
app.kubernetes.io/name: wingmirror
app.kubernetes.io/instance: {{ .Release.Name | quote }}
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

{{/* The port of the page. */}}
{{- define "wingmirror.adminPort" -}}
{{- with ((.Values.config).admin).listen }}
{{- $port := regexFind ":[0-9]+$" . | trimPrefix ":" }}
{{- if not $port }}{{ fail "config.admin.listen: needs an address and a port, such as [::]:9647" }}{{ end }}
{{- if eq $port (printf "%d" (int $.Values.metrics.port)) }}{{ fail "config.admin.listen: its port is that of metrics.port; a node has each port once" }}{{ end }}
{{- $port }}{{ else }}{{ .Values.metrics.port }}{{ end }}
{{- end }}

{{/* The namespaces whose objects are read, as JSON; empty for all. */}}
{{- define "wingmirror.namespaces" -}}
{{- (((.Values.config).routes).kubernetes).namespaces | default .Values.kubernetes.namespaces | default list | toJson }}
{{- end }}

{{/* The ConfigMap of the mesh configuration. */}}
{{- define "wingmirror.meshConfigMap" -}}
{{- $revision := toString (((.Values.config).mesh).revision | default "default") }}
{{- if eq $revision "default" }}istio{{ else }}istio-{{ $revision }}{{ end }}
{{- end }}

{{/* What the probes need besides a path and a port: TLS, and the address where the agent does not listen on all of them. */}}
{{- define "wingmirror.probe" -}}
{{- $address := .Values.metrics.address | trimPrefix "[" | trimSuffix "]" }}
{{- if (((.Values.config).admin).tls).certificate }}, scheme: HTTPS{{ end }}
{{- if not (has $address (list "::" "0.0.0.0")) }}, host: {{ $address | quote }}{{ end }}
{{- end }}

{{- define "wingmirror.config" -}}
{{- if ((.Values.config).metrics).listen }}{{ fail "config.metrics.listen: use metrics.port and metrics.address, which ports and probes follow" }}{{ end }}
{{- $kubernetes := dict "enabled" true "snapshot" "/var/lib/wingmirror/objects" "namespaces" .Values.kubernetes.namespaces "server" .Values.kubernetes.server }}
{{- $base := dict "capture" (dict "interfaces" "auto") "routes" (dict "kubernetes" $kubernetes) "metrics" (dict "listen" (printf "%s:%v" .Values.metrics.address .Values.metrics.port)) "log" (dict "level" "info" "format" "json") }}
{{- if ne .Values.kubernetes.istioNamespace "istio-system" }}{{ $_ := set $base "mesh" (dict "rootNamespace" .Values.kubernetes.istioNamespace) }}{{ end }}
{{- $config := dict }}
{{- range $key, $value := .Values.config | default dict }}{{ if not (kindIs "invalid" $value) }}{{ $_ := set $config $key $value }}{{ end }}{{ end }}
{{- mustMergeOverwrite $base (deepCopy $config) | toYaml }}
{{- end }}
