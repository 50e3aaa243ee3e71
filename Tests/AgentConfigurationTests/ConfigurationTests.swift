// Wingmirror · Apache-2.0

import AnswerComparison
import Logging
import PacketDecoding
import RouteAttribution
import ShadowTesting
import Testing
import TrafficModel

@testable import AgentConfiguration

@Suite struct ConfigurationTests {
    @Test func `an empty file and a file of comments give the defaults`() throws {
        #expect(try Configuration.parse("", file: "w.yaml") == Configuration())
        #expect(try Configuration.parse("# nothing chosen\n", file: "w.yaml") == Configuration())
    }

    @Test func `a section without keys gives the defaults`() throws {
        #expect(try Configuration.parse("capture:\ngateway:\n  # labels: {}\n", file: "w.yaml") == Configuration())
    }

    @Test func `every section is read`() throws {
        let configuration = try Configuration.parse(
            """
            capture:
              interfaces: [eth0, eth1]
              filter: tcp port 8080
              snapshotLength: 65535
              ringBytes: 8MiB
              workers: 1
              promiscuous: true
              user: nobody
              keep: {bytes: 16MiB, age: 30s}
              pace: realtime
            gateway:
              namespace: edge
              labels: {istio: edge}
              addresses: ["10.0.0.1", "2001:db8::1"]
              ports: [{pod: 8443, server: 443}, {pod: 80}]
              trustedProxies: 2
              http10: true
            mesh: {pathNormalization: MERGE_SLASHES, defaultVirtualServiceExportTo: ["."], clusterDomain: c.test, envoyVersion: "1.38.1"}
            routes:
              files: [samples/istio]
              kubernetes:
                enabled: true
                server: "https://192.0.2.1"
                tokenFile: /run/token
                certificateAuthority: /run/ca.crt
                namespaces: [shop]
                node: node-1
                snapshot: /var/lib/objects
                findGateways: false
            metrics: {listen: "[::1]:9000", durationBuckets: [0.1, 1, 2.5], seriesLimit: 500, nativeHistograms: false, exemplars: false, createdSeries: true, istioCompat: true, grpcErrorStatuses: [INTERNAL, 14]}
            admin:
              tls: {certificate: /run/tls.crt, key: /run/tls.key}
              auth: {basicFile: /run/users, bearerFile: /run/tokens, kubernetes: true}
              links: {grafana: "https://g", runbooks: "http://r/x", trace: "https://t/{trace}"}
            redaction: {fields: [X-Api-Key, cookie], parameters: false}
            limits: {memory: 256MiB, connections: 5000, headBytes: 32KiB, bufferedBytesPerConnection: 2MiB, idleTimeout: 1m30s}
            records: {file: out.ndjson, fields: true, contentBytes: 1KiB}
            mirror:
              enabled: false
              targets:
                staging: {url: "http://staging.test:8080", hosts: [staging.test], rate: 90/m, inFlight: 8, bytes: 1MiB}
              policies:
                - {match: {virtualService: default/product-vs}, target: staging, percent: 5, key: [traceparent]}
            log: {level: debug, format: text}
            """,
            file: "w.yaml"
        )
        var expected = Configuration()
        expected.capture.interfaces = .named(["eth0", "eth1"])
        expected.routes.kubernetes.isEnabled = true
        expected.routes.kubernetes.server = "https://192.0.2.1:443"
        expected.routes.kubernetes.tokenFile = "/run/token"
        expected.routes.kubernetes.certificateAuthority = "/run/ca.crt"
        expected.routes.kubernetes.namespaces = ["shop"]
        expected.routes.kubernetes.node = "node-1"
        expected.routes.kubernetes.snapshot = "/var/lib/objects"
        expected.routes.kubernetes.findsGateways = false
        expected.capture.filter = .expression("tcp port 8080")
        expected.capture.snapshotLength = 65_535
        expected.capture.ringBytes = ByteSize(8_388_608)
        expected.capture.promiscuous = true
        expected.capture.keep.bytes = ByteSize(mebibytes: 16)
        expected.capture.keep.age = .seconds(30)
        expected.capture.user = "nobody"
        expected.capture.pace = .realtime
        expected.gateway.namespace = "edge"
        expected.gateway.labels = ["istio": "edge"]
        expected.gateway.addresses = [
            IPAddress(ipv4: 0x0A00_0001), IPAddress(high: 0x2001_0db8_0000_0000, low: 1),
        ]
        expected.gateway.ports = [GatewayPort(pod: 8443, server: 443), GatewayPort(pod: 80, server: 80)]
        expected.gateway.trustedProxies = 2
        expected.gateway.http10 = true
        expected.mesh.pathNormalization = .mergeSlashes
        expected.mesh.defaultVirtualServiceExportTo = ["."]
        expected.mesh.clusterDomain = "c.test"
        expected.mesh.envoyVersion = EnvoyVersion(major: 1, minor: 38)
        expected.routes.files = ["samples/istio"]
        expected.metrics.listen = ListenAddress(host: "::1", port: 9000)
        expected.metrics.durationBuckets = [0.1, 1, 2.5]
        expected.metrics.seriesLimit = 500
        expected.metrics.nativeHistograms = false
        expected.metrics.exemplars = false
        expected.metrics.createdSeries = true
        expected.metrics.grpcErrorStatuses = [13, 14]
        expected.metrics.istioCompat = true
        expected.admin.basicFile = "/run/users"
        expected.admin.bearerFile = "/run/tokens"
        expected.admin.asksKubernetes = true
        expected.admin.certificateFile = "/run/tls.crt"
        expected.admin.keyFile = "/run/tls.key"
        expected.admin.links.grafana = "https://g"
        expected.admin.links.runbooks = "http://r/x"
        expected.admin.links.trace = "https://t/{trace}"
        expected.redaction.parameters = false
        expected.redaction.fields = [
            "authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key",
        ]
        expected.limits.memory = ByteSize(mebibytes: 256)
        expected.limits.connections = 5000
        expected.limits.headBytes = ByteSize(kibibytes: 32)
        expected.limits.bufferedBytesPerConnection = ByteSize(mebibytes: 2)
        expected.limits.idleTimeout = .seconds(90)
        expected.records = RecordsConfiguration(file: "out.ndjson", fields: true, contentBytes: ByteSize(1024))
        var target = MirrorTarget(name: "staging", host: "staging.test", port: 8080, hosts: ["staging.test"])
        target.ratePerSecond = 1.5
        target.inFlight = 8
        target.queueOctets = 1 << 20
        expected.mirror.targets = [target]
        var policy = MirrorPolicy(name: "#0", targets: ["staging"])
        policy.match.virtualService = "default/product-vs"
        policy.percent = 5
        policy.key = [.traceContext]
        policy.comparison.grpcErrorStatuses = [13, 14]
        expected.mirror.policies = [policy]
        expected.log = LogConfiguration(level: .debug, format: .text)
        #expect(configuration == expected)
    }

    @Test(arguments: [
        (
            "capture: {interfacs: [eth0]}",
            "w.yaml:1:11: capture.interfacs: unknown key; the nearest known key is \"interfaces\""
        ),
        ("captrue:\n  user: x", "w.yaml:1:1: captrue: unknown key; the nearest known key is \"capture\""),
        (
            "mesh:\n  PathNormalisation: BASE",
            "w.yaml:2:3: mesh.PathNormalisation: unknown key; the nearest known key is \"pathNormalization\""
        ),
        (
            "admin: {auth: {basicfile: x}}",
            "w.yaml:1:16: admin.auth.basicfile: unknown key; the nearest known key is \"basicFile\""
        ),
        (
            "redaction: {prameters: true}",
            "w.yaml:1:13: redaction.prameters: unknown key; the nearest known key is \"parameters\""
        ),
        (
            "gateway: {ports: [{pod: 1}, {port: 2, pod: 3}]}",
            "w.yaml:1:30: gateway.ports[1].port: unknown key; the nearest known key is \"pod\""
        ),
    ])
    func `an unknown key is named with its place and the nearest known key`(yaml: String, expected: String) {
        #expect(problems(yaml) == [expected])
    }

    @Test(arguments: [
        ("capture: {promiscuous: \"true\"}", "capture.promiscuous: expected true or false, found \"true\""),
        ("capture: {promiscuous: yes}", "capture.promiscuous: expected true or false, found \"yes\""),
        (
            "capture: {snapshotLength: \"65535\"}",
            "capture.snapshotLength: expected a whole number from 64 to 262144, found \"65535\""
        ),
        (
            "capture: {snapshotLength: 12.5}",
            "capture.snapshotLength: expected a whole number from 64 to 262144, found 12.5"
        ),
        (
            "capture: {ringBytes: lots}",
            "capture.ringBytes: expected a size such as 64MiB, from 256KiB to 2047MiB, found \"lots\""
        ),
        (
            "capture: {ringBytes: 5GiB}",
            "capture.ringBytes: expected a size such as 64MiB, from 256KiB to 2047MiB, found \"5GiB\""
        ),
        (
            "capture: {keep: {bytes: 10KiB}}",
            "capture.keep.bytes: less than 1MiB has no room for large packets; 0 keeps none"
        ),
        (
            "capture: {workers: 3, interfaces: [eth0], keep: {bytes: 2MiB}}",
            "capture.keep.bytes: less than 3MiB has no room for large packets of 3 workers; 0 keeps none"
        ),
        (
            "capture: {keep: {age: 0s}}",
            "capture.keep.age: expected a duration such as 5m or 100ms, from 1s to 1h, found \"0s\""
        ),
        (
            "capture: {interfaces: eth0}",
            "capture.interfaces: expected auto, or a list of interface names such as [eth0], found \"eth0\""
        ),
        ("capture: {interfaces: [eth0, 7]}", "capture.interfaces[1]: expected an interface name, found 7"),
        ("capture: [eth0]", "capture: expected a mapping, found a list"),
        ("gateway: {ports: [{pod: 0}]}", "gateway.ports[0].pod: expected a port from 1 to 65535, found 0"),
        ("gateway: {ports: [{server: 80}]}", "gateway.ports[0]: pod is missing: expected a port from 1 to 65535"),
        ("gateway: {ports: [{pod: 1}, {pod: 1}]}", "gateway.ports: pod port 1 is listed twice"),
        (
            "gateway: {ports: 80}",
            "gateway.ports: expected a list of mappings such as [{pod: 8080, server: 80}], found 80"
        ),
        (
            "gateway: {ports: [8080]}",
            "gateway.ports[0]: expected a mapping such as {pod: 8080, server: 80}, found 8080"
        ),
        ("gateway: {labels: {app: 1}}", "gateway.labels.app: expected text; put it in quotes, found 1"),
        ("gateway: {labels: app}", "gateway.labels: expected a mapping such as {app: gateway}, found \"app\""),
        ("redaction: {parameters: 1}", "redaction.parameters: expected true or false, found 1"),
        (
            "mesh: {discoverySelectors: [{matchLabels: a}]}",
            "mesh.discoverySelectors[0].matchLabels: expected a mapping such as {istio-discovery: enabled}, found \"a\""
        ),
        ("gateway: {addresses: [10.0.0]}", "gateway.addresses[0]: expected an IP address, found \"10.0.0\""),
        (
            "mesh: {pathNormalization: base}",
            "mesh.pathNormalization: expected one of NONE, BASE, MERGE_SLASHES, DECODE_AND_MERGE_SLASHES, DEFAULT, found \"base\""
        ),
        ("mesh: {envoyVersion: 1.40}", "mesh.envoyVersion: expected a version in quotes, such as \"1.40\", found 1.40"),
        ("metrics: {listen: 9646}", "metrics.listen: expected an address and port such as 0.0.0.0:9646, found 9646"),
        (
            "metrics: {durationBuckets: [1, 0.5]}",
            "metrics.durationBuckets[1]: expected a larger number than the one before, found 0.5"
        ),
        (
            "metrics: {durationBuckets: [1, 2, 2.0, 3]}",
            "metrics.durationBuckets[2]: expected a larger number than the one before, found 2.0"
        ),
        (
            "metrics: {durationBuckets: [1, 1e300]}",
            "metrics.durationBuckets[1]: expected a number of seconds from 1e-9 to 1048576, found 1e300"
        ),
        (
            "metrics: {durationBuckets: []}",
            "metrics.durationBuckets: expected from 1 to 64 numbers of seconds, found a list"
        ),
        (
            "metrics: {durationBuckets: 1}",
            "metrics.durationBuckets: expected default, or a growing list of seconds such as [0.01, 0.1, 1], found 1"
        ),
        (
            "limits: {idleTimeout: 300}",
            "limits.idleTimeout: expected a duration such as 5m or 100ms, from 1s to 1d, found 300"
        ),
        (
            "limits: {idleTimeout: 5 minutes}",
            "limits.idleTimeout: expected a duration such as 5m or 100ms, from 1s to 1d, found \"5 minutes\""
        ),
        (
            "log: {level: loud}",
            "log.level: expected one of trace, debug, info, notice, warning, error, critical, found \"loud\""
        ),
        (
            "redaction: {fields: [\"a b\"]}",
            "redaction.fields[0]: expected a field name such as x-api-key, found \"a b\""
        ),
        (
            "admin: {links: {grafana: \"javascript:alert(1)\"}}",
            "admin.links.grafana: expected an address such as https://grafana.example.com, found \"javascript:alert(1)\""
        ),
        (
            "admin: {links: {trace: \"https://t/\"}}",
            "admin.links.trace: has no {trace}, which the id of a trace takes the place of"
        ),
        (
            "mirror: {targets: {s: {url: \"http://u:p@h\"}}}",
            "mirror.targets.s.url: expected a URL such as http://staging.example.internal:8080, with neither user nor path, found \"http://u:p@h\""
        ),
        (
            "mirror: {targets: {s: {url: \"http://h\", rate: 50}}}",
            "mirror.targets.s.rate: expected a rate such as 50/s, found 50"
        ),
        ("mirror: {policies: [{target: s}]}", "mirror.policies[0].target: there is no target \"s\" in mirror.targets"),
    ])
    func `a value that does not fit is named with what was expected`(yaml: String, expected: String) throws {
        let found = problems(yaml)
        #expect(found.count == 1)
        #expect(try #require(found.first).hasSuffix(expected))
    }

    @Test(arguments: [
        ("capture: {workers: 2, savefiles: [a.pcap]}", "pcap files are read by one"),
        ("capture: {workers: 0}", "1"), ("capture: {workers: 257}", "256"),
    ])
    func `workers are refused where there cannot be so many`(yaml: String, reason: String) throws {
        let found = problems(yaml)
        #expect(found.count == 1)
        let problem = try #require(found.first)
        #expect(problem.contains("capture.workers"))
        #expect(problem.contains(reason))
    }

    @Test func `several workers share interfaces`() {
        #expect(problems("capture: {workers: 256, interfaces: [eth0]}").isEmpty)
    }

    @Test func `several workers keep packets where each has room`() {
        #expect(problems("capture: {workers: 3, interfaces: [eth0], keep: {bytes: 3MiB}}").isEmpty)
    }

    @Test func `all mistakes are reported, in the order of the file`() {
        let yaml = """
            log: {level: loud}
            capture:
              workers: 0
              colour: red
            gateway: 7
            """
        #expect(
            problems(yaml).map { $0.prefix(9) } == ["w.yaml:1:", "w.yaml:3:", "w.yaml:4:", "w.yaml:5:"]
        )
    }

    @Test(arguments: [
        ("- a\n- b", "w.yaml:1:1: expected sections such as capture: and gateway:, found a list"),
        ("just text", "w.yaml:1:1: expected sections such as capture: and gateway:, found \"just text\""),
        ("capture:\n\tworkers: 1", "w.yaml:2:1: is not valid YAML: a tab; YAML indents with spaces"),
        ("log:\n  level: info\n \tformat: json", "w.yaml:3:2: is not valid YAML: a tab; YAML indents with spaces"),
        ("log: @", "w.yaml:1:6: is not valid YAML: found character that cannot start any token"),
        ("a: b: c", "w.yaml:1:5: is not valid YAML: mapping values are not allowed in this context"),
        ("log: {}\n---\nlog: {}", "w.yaml: holds 2 documents; a configuration is one"),
        (
            "apiVersion: v1\nkind: Service\n---\napiVersion: networking.istio.io/v1\nkind: Gateway",
            "w.yaml: is a Kubernetes object (Service), not a configuration; name route objects with --routes or routes.files"
        ),
    ])
    func `a file that is no mapping gives one line`(yaml: String, expected: String) {
        #expect(problems(yaml) == [expected])
    }

    @Test func `a key given twice is a mistake`() throws {
        let found = problems("log: {level: info}\nlog: {level: debug}")
        #expect(found.count == 1)
        #expect(try #require(found.first).hasSuffix("the key log is given twice"))
    }

    @Test func `a file that cannot be read says why`() {
        let error = #expect(throws: ConfigurationProblems.self) { try Configuration.load(path: "/nowhere/w.yaml") }
        #expect(
            error?.problems.map(\.description) == ["/nowhere/w.yaml: no such file or folder"]
        )
    }

    @Test func `a folder in place of a file says so`() {
        let error = #expect(throws: ConfigurationProblems.self) { try Configuration.load(path: "/") }
        #expect(error?.problems.map(\.description) == ["/: cannot be read: Is a directory"])
    }

    private func problems(_ yaml: String) -> [String] {
        do {
            _ = try Configuration.parse(yaml, file: "w.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
