// Wingmirror · Apache-2.0

import AnswerComparison
import JSONSyntax
import ShadowTesting

extension MirrorConfiguration {
    /// The section in the shape of the file; the secret that keys sampling is masked.
    var document: JSONValue {
        [
            "enabled": .bool(enabled),
            "paused": .bool(paused),
            "node": .string(node),
            "samplingSecret": .string(samplingSecret.isEmpty ? "" : "[masked]"),
            "memory": .string(memory.description),
            "egress": .string(egress.description),
            "protection": [
                "kernelDrops": .double(protection.kernelDrops),
                "memory": .double(protection.memory),
                "cpu": .double(protection.processors),
                "rest": .string(protection.rest.text),
            ],
            "targets": JSONValue(Dictionary(targets.map { ($0.name, $0.document) }) { $1 }),
            "policies": .array(policies.map(\.document)),
        ]
    }
}

extension MirrorTarget {
    fileprivate var document: JSONValue {
        ([
            "url": .string(url),
            "hosts": JSONValue(hosts),
            "hostField": .string(hostField.rawValue),
            "rate": .string(Rate(perSecond: ratePerSecond).description),
            "inFlight": JSONValue(inFlight),
            "bytes": .string(ByteSize(queueOctets).description),
            "drop": .string(dropsFirst.rawValue),
            "connectTimeout": .string(connectTimeout.text),
            "timeout": .string(timeout.text),
            "http2": .bool(allowsHTTP2),
            "certificateAuthorities": certificateAuthorities.isEmpty ? .null : .string(certificateAuthorities),
            "breaker":
                ([
                    "errorShare": .double(breaker.errorShare),
                    "latency": breaker.latency.map { .string($0.text) } ?? .null,
                    "window": JSONValue(breaker.window),
                    "rest": .string(breaker.rest.text),
                ] as JSONValue).withoutNulls,
            "ramp": ["steps": .array(ramp.steps.map(JSONValue.double)), "hold": .string(ramp.hold.text)],
        ] as JSONValue).withoutNulls
    }
}

extension MirrorPolicy {
    fileprivate var document: JSONValue {
        ([
            "name": .string(name),
            "match": match.document,
            "targets": JSONValue(targets),
            "baseline": baseline.map(JSONValue.string) ?? .null,
            "percent": .double(percent),
            "rate": ratePerSecond.map { .string(Rate(perSecond: $0).description) } ?? .null,
            "key": JSONValue(key.map(\.text)),
            "methods": JSONValue(methods),
            "deniedPaths": JSONValue(deniedPaths),
            "deniedParameters": JSONValue(deniedParameters),
            "keptFields": JSONValue(keptFields),
            "keptParameters": JSONValue(keptParameters),
            "removedFields": JSONValue(removedFields),
            "hashedFields": JSONValue(hashedFields),
            "hashedParameters": JSONValue(hashedParameters),
            "hashedContent": JSONValue(hashedContent),
            "hashCredentialsInContent": .bool(hashesCredentialsInContent),
            "decrypted": .bool(takesDecrypted),
            "maximumContentBytes": .string(ByteSize(maximumContentOctets).description),
            "repeatShare": .double(repeatShare),
            "comparison": comparison.document,
        ] as JSONValue).withoutNulls
    }
}

extension MirrorMatch {
    fileprivate var document: JSONValue {
        ([
            "virtualService": virtualService.map(JSONValue.string) ?? .null,
            "route": route.map(JSONValue.string) ?? .null,
            "hosts": JSONValue(hosts),
            "paths": JSONValue(pathPrefixes),
            "methods": JSONValue(methods),
            "fields": JSONValue(fields.mapValues(JSONValue.string)),
        ] as JSONValue).withoutNulls
    }
}

extension ComparisonSettings {
    fileprivate var document: JSONValue {
        [
            "ignoredPaths": JSONValue(ignoredPaths),
            "ignoredFields": JSONValue(ignoredFields),
            "unorderedPaths": JSONValue(unorderedPaths),
            "keyedPaths": JSONValue(keyedPaths.mapValues(JSONValue.string)),
            "numericTolerance": .double(numericTolerance),
            "margin": .double(margin),
            "errorMargin": .double(errorMargin),
            "tailMargin": .double(tailMargin),
            "latencyMargin": .double(latencyMargin),
            "showsValues": .bool(showsValues),
            "coverageFloor": .double(coverageFloor),
            "significance": .double(significance),
            "voteWindow": .string(voteWindow.text),
            "timeBlock": .string(timeBlock.text),
            "recentWindow": .string(recentWindow.text),
            "versionField": .string(versionField),
            "maximumContentBytes": .string(ByteSize(maximumContentOctets).description),
            "maximumLag": .string(maximumLag.text),
        ]
    }
}

extension JSONValue {
    /// An object without the members that say nothing, as a file leaves out what has no value.
    fileprivate var withoutNulls: JSONValue {
        guard case .object(let object) = self else { return self }
        return JSONValue(Dictionary(object.members.filter { $0.value != .null }.map { ($0.key, $0.value) }) { $1 })
    }
}
