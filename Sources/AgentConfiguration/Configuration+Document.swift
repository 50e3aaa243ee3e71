// Wingmirror · Apache-2.0

import Crypto
package import JSONSyntax
import Logging
import PacketDecoding
import RouteAttribution
import TCPReassembly

extension Configuration {
    /// The whole configuration in the shape of the file, with every default filled in.
    ///
    /// It shows no secret: credentials are configured as the names of files, a target's URL can carry none, and what keys
    /// hashes is masked.
    package var document: JSONValue {
        [
            "capture": capture.document,
            "gateway": gateway.document,
            "mesh": mesh.document,
            "routes": [
                "files": JSONValue(routes.files), "namespace": .string(routes.namespace),
                "kubernetes": routes.kubernetes.document,
            ],
            "metrics": metrics.document,
            "admin": [
                "listen": .string(admin.listen?.description ?? ""),
                "tls": ["certificate": .string(admin.certificateFile), "key": .string(admin.keyFile)],
                "auth": [
                    "basicFile": .string(admin.basicFile), "bearerFile": .string(admin.bearerFile),
                    "kubernetes": .bool(admin.asksKubernetes),
                ],
                "links": [
                    "grafana": .string(admin.links.grafana), "runbooks": .string(admin.links.runbooks),
                    "trace": .string(admin.links.trace),
                ],
            ],
            "redaction": redaction.document,
            "tls": tls.document,
            "limits": limits.document,
            "records": [
                "file": .string(records.file),
                "fields": .bool(records.fields),
                "contentBytes": .string(records.contentBytes.description),
                "rotate": [
                    "bytes": .string(records.rotation.bytes.description),
                    "age": .string(records.rotation.age.text),
                    "keep": JSONValue(records.rotation.kept),
                ],
            ],
            "mirror": mirror.document,
            "log": ["level": .string(log.level.rawValue), "format": .string(log.format.rawValue)],
        ]
    }

    /// The SHA-256 of the document, as hexadecimal digits: equal for agents that are configured alike.
    package var digest: String {
        let digits = Array("0123456789abcdef")
        return SHA256.hash(data: document.encoded()).reduce(into: "") { text, octet in
            text.append(digits[Int(octet >> 4)])
            text.append(digits[Int(octet & 15)])
        }
    }
}

extension KubernetesConfiguration {
    fileprivate var document: JSONValue {
        [
            "enabled": .bool(isEnabled), "server": .string(server), "tokenFile": .string(tokenFile),
            "certificateAuthority": .string(certificateAuthority), "namespaces": JSONValue(namespaces),
            "node": .string(node), "snapshot": .string(snapshot), "findGateways": .bool(findsGateways),
        ]
    }
}

extension CaptureConfiguration {
    fileprivate var document: JSONValue {
        let interfaces: JSONValue =
            switch interfaces {
            case .automatic: "auto"
            case .named(let names): JSONValue(names)
            }
        let filter =
            switch filter {
            case .automatic: "auto"
            case .expression(let expression): expression
            }
        return [
            "interfaces": interfaces,
            "savefiles": JSONValue(savefiles),
            "pace": .string(pace.rawValue),
            "loop": .bool(loop),
            "filter": .string(filter),
            "snapshotLength": JSONValue(snapshotLength),
            "ringBytes": .string(ringBytes.description),
            "workers": JSONValue(workers),
            "promiscuous": .bool(promiscuous),
            "networkTags": .string(networkTags.rawValue),
            "vxlanPorts": .array(vxlanPorts.map { JSONValue(Int($0)) }),
            "keep": ["bytes": .string(keep.bytes.description), "age": .string(keep.age.text)],
            "user": .string(user),
        ]
    }
}

extension RedactionConfiguration {
    fileprivate var document: JSONValue {
        var members: [String: JSONValue] = [
            "fields": JSONValue(fields), "secret": .string(secret.isEmpty ? "" : "[masked]"),
        ]
        if let parameters { members["parameters"] = .bool(parameters) }
        return JSONValue(members)
    }
}

extension GatewayConfiguration {
    fileprivate var document: JSONValue {
        [
            "namespace": .string(namespace),
            "labels": JSONValue(labels.mapValues(JSONValue.string)),
            "addresses": JSONValue(addresses.map(\.description)),
            "ports": .array(ports.map { ["pod": JSONValue($0.pod), "server": JSONValue($0.server)] }),
            "trustedProxies": JSONValue(trustedProxies),
            "http10": .bool(http10),
        ]
    }
}

extension MeshConfiguration {
    fileprivate var document: JSONValue {
        [
            "pathNormalization": .string(pathNormalization.rawValue),
            "defaultVirtualServiceExportTo": JSONValue(defaultVirtualServiceExportTo),
            "clusterDomain": .string(clusterDomain),
            "envoyVersion": .string(envoyVersion.text),
            "revision": .string(revision),
            "rootNamespace": .string(rootNamespace),
            "scopeGatewayToNamespace": .bool(scopeGatewayToNamespace),
            "discoverySelectors": .array(discoverySelectors.map(\.document)),
        ]
    }
}

extension ExpositionConfiguration {
    fileprivate var document: JSONValue {
        [
            "listen": .string(listen.description),
            "durationBuckets": durationBuckets.map { .array($0.map(JSONValue.double)) } ?? "default",
            "seriesLimit": JSONValue(seriesLimit),
            "nativeHistograms": .bool(nativeHistograms),
            "exemplars": .bool(exemplars),
            "createdSeries": .bool(createdSeries),
            "grpcErrorStatuses": .array(grpcErrorNames.map(JSONValue.string)),
            "istioCompat": .bool(istioCompat),
        ]
    }
}

extension LimitsConfiguration {
    fileprivate var document: JSONValue {
        [
            "memory": .string(memory?.description ?? "auto"),
            "connections": JSONValue(connections),
            "headBytes": .string(headBytes.description),
            "bufferedBytesPerConnection": .string(bufferedBytesPerConnection.description),
            "idleTimeout": .string(idleTimeout.text),
        ]
    }
}
