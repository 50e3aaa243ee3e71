// Wingmirror · Apache-2.0

import Crypto
import Logging
import PacketDecoding
import RouteAttribution

extension Configuration {
    /// The whole configuration in the shape of the file, with every default filled in.
    ///
    /// It holds no secret: credentials are configured as the names of files, and a target's URL can carry none.
    var document: JSONValue {
        [
            "capture": capture.document,
            "gateway": gateway.document,
            "mesh": mesh.document,
            "routes": ["files": JSONValue(routes.files), "kubernetes": ["enabled": false]],
            "metrics": metrics.document,
            "admin": [
                "tls": ["certificate": "", "key": ""],
                "auth": ["basicFile": .text(admin.basicFile), "bearerFile": .text(admin.bearerFile)],
            ],
            "redaction": ["fields": JSONValue(redaction.fields)],
            "limits": limits.document,
            "records": [
                "file": .text(records.file),
                "fields": .flag(records.fields),
                "contentBytes": .text(records.contentBytes.description),
            ],
            "mirror": mirror.document,
            "log": ["level": .text(log.level.rawValue), "format": .text(log.format.rawValue)],
        ]
    }

    /// The SHA-256 of the document, as hexadecimal digits: equal for agents that are configured alike.
    var digest: String {
        let digits = Array("0123456789abcdef")
        return SHA256.hash(data: document.encoded(isPretty: false)).reduce(into: "") { text, octet in
            text.append(digits[Int(octet >> 4)])
            text.append(digits[Int(octet & 15)])
        }
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
            "pace": .text(pace.rawValue),
            "filter": .text(filter),
            "snapshotLength": JSONValue(snapshotLength),
            "ringBytes": .text(ringBytes.description),
            "workers": JSONValue(workers),
            "promiscuous": .flag(promiscuous),
            "user": .text(user),
        ]
    }
}

extension GatewayConfiguration {
    fileprivate var document: JSONValue {
        [
            "namespace": .text(namespace),
            "labels": .object(labels.mapValues(JSONValue.text)),
            "addresses": JSONValue(addresses.map(\.description)),
            "ports": .array(ports.map { ["pod": JSONValue($0.pod), "server": JSONValue($0.server)] }),
            "trustedProxies": JSONValue(trustedProxies),
        ]
    }
}

extension MeshConfiguration {
    fileprivate var document: JSONValue {
        [
            "pathNormalization": .text(pathNormalization.rawValue),
            "defaultVirtualServiceExportTo": JSONValue(defaultVirtualServiceExportTo),
            "clusterDomain": .text(clusterDomain),
            "envoyVersion": .text(envoyVersion.text),
        ]
    }
}

extension MetricsConfiguration {
    fileprivate var document: JSONValue {
        [
            "listen": .text(listen.description),
            "durationBuckets": durationBuckets.map { .array($0.map(JSONValue.number)) } ?? "default",
            "seriesLimit": JSONValue(seriesLimit),
            "nativeHistograms": false,
            "istioCompat": false,
        ]
    }
}

extension LimitsConfiguration {
    fileprivate var document: JSONValue {
        [
            "memory": .text(memory?.description ?? "auto"),
            "connections": JSONValue(connections),
            "headBytes": .text(headBytes.description),
            "bufferedBytesPerConnection": .text(bufferedBytesPerConnection.description),
            "idleTimeout": .text(idleTimeout.text),
        ]
    }
}

extension MirrorConfiguration {
    fileprivate var document: JSONValue {
        [
            "enabled": false,
            "targets": .object(targets.mapValues(\.document)),
            "policies": .array(policies.map(\.document)),
        ]
    }
}

extension MirrorTarget {
    fileprivate var document: JSONValue {
        [
            "url": .text(url),
            "hosts": JSONValue(hosts),
            "rate": .text(rate.description),
            "inFlight": JSONValue(inFlight),
            "bytes": .text(bytes.description),
        ]
    }
}

extension MirrorPolicy {
    fileprivate var document: JSONValue {
        [
            "match": virtualService.map { ["virtualService": .text($0)] } ?? [:],
            "target": .text(target),
            "percent": .number(percent),
            "key": JSONValue(key),
        ]
    }
}
