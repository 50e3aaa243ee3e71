// Wingmirror · Apache-2.0

import ArgumentParser
import FoundationEssentials
import JSONSyntax
import KubernetesObjects
import OctetText
import PacketCapture
import PacketDecoding
import ResourceFiles
import TLSDecryption
import TestServers
import TestSupport
import Testing
import TrafficModel
import TrafficPipeline

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// The sample capture, through everything: packets, exchanges, routes, metrics.
@Suite struct SampleAnalysisTests {
    private static let capture = "\(Repository.path)/samples/captures/ingress.pcap"
    private static let page = "\(Repository.path)/Tests/AgentCommandsTests/Fixtures/ingress.metrics"

    private func plan(_ arguments: String...) throws -> ReadPlan {
        let all = ["read"] + arguments + ["--routes", "\(Repository.path)/samples/istio"]
        return try ReadPlan(try #require(try Wingmirror.parseAsRoot(all) as? ReadCommand))
    }

    @Test func `the metrics are those of the stored page`() throws {
        let analysis = try plan(Self.capture, "--output", "metrics").analyse(writingTo: nil)
        // The capture's path is a label, and differs from machine to machine.
        let found = String(decoding: analysis.metricsPage, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.split(separator: Repository.path + "/", omittingEmptySubsequences: false).joined() }
        let stored = String(decoding: try Data(contentsOf: URL(filePath: Self.page)), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let changes = found.difference(from: stored)
        #expect(changes.isEmpty, "if this is meant, store the new page: make sample-page")
    }

    @Test func `where no request came to a port of the gateway, the port that they came to is named`() throws {
        let folder = try TemporaryFolder()
        let routes = try folder.write(OneGateway.manifest(with: "v"), to: "routes.yaml")
        func sentence(_ arguments: String...) throws -> String? {
            let all = ["read", Self.capture, "--routes", routes] + arguments
            let plan = try ReadPlan(try #require(try Wingmirror.parseAsRoot(all) as? ReadCommand))
            return try plan.analyse(writingTo: nil).unserved(by: plan.configuration.gateway)
        }
        let said = try #require(try sentence("--gateway-port", "9999:80"))
        #expect(said.hasPrefix("no request came to a port of the gateway (9999): "))
        #expect(said.contains(" requests came to port 8080; if that is the gateway's, write --gateway-port 8080:80 "))
        #expect(try sentence() == nil)
    }

    @Test func `each key of the samples' records is in the guide to records`() throws {
        let folder = try TemporaryFolder()
        let guide = try RecordsGuide()
        let secure = "\(Repository.path)/samples/captures/secure"
        for (name, arguments) in [
            ("plain", [Self.capture]), ("secure", ["\(secure).pcap", "--key-log", "\(secure).keys"]),
        ] {
            let records = RecordFile(try OctetOutput.open("\(folder.path)/\(name)"))
            let all = ["read"] + arguments + ["--output", "ndjson", "--fields", "--content", "1KiB"]
            let samples = ["--routes", "\(Repository.path)/samples/\(name == "plain" ? "istio" : "istio-secure")"]
            let command = try #require(try Wingmirror.parseAsRoot(all + samples) as? ReadCommand)
            _ = try ReadPlan(command).analyse(writingTo: records)
            try records.finish()
            let lines = try folder.text(of: name).split(separator: "\n")
            #expect(lines.count > 100)
            let missing = try lines.reduce(into: Set<String>()) {
                $0.formUnion(guide.missingKeys(of: try JSONDocument.parse(Array($1.utf8))))
            }
            #expect(missing.isEmpty)
        }
    }

    @Test func `each key of a line of tap is in the guide to records`() throws {
        let guide = try RecordsGuide()
        for (name, objects) in [("ingress", "istio"), ("secure", "istio-secure")] {
            var configuration = Configuration()
            configuration.routes.files = ["\(Repository.path)/samples/\(objects)"]
            if name == "secure" { configuration.tls.keyLog = "\(Repository.path)/samples/captures/secure.keys" }
            let routes = try RouteObjects(configuration, namesServerPorts: false)
            let keys = try KeyLogFile.savefileKeys(configuration)
            let recent = RecentBoard()
            var outputs = PipelineOutputs()
            outputs.recent = recent
            var worker = CaptureWorker(
                TrafficRun(routes, configuration, isLive: false, at: 0, keys: keys).makePipeline(outputs: outputs)
            )
            let stop = StopFlag()
            var capture = try SavefileCapture(
                paths: ["\(Repository.path)/samples/captures/\(name).pcap"],
                secrets: { keys.take(keyLog: $0) },
                stop: stop
            )
            capture.run(into: &worker, until: stop)
            worker.captureEnded()
            let kept = recent.routed + recent.unmatched + recent.failed
            #expect(kept.count > 20)
            let catalogue = RouteCatalogue(routes.tables)
            for exchange in kept {
                let octets = JSONText.document { json in
                    json.key("exchange")
                    json.exchange(exchange, catalogue)
                }
                let entry = try #require(try JSONDocument.parse(octets)["exchange"])
                #expect(guide.missingKeys(of: entry).isEmpty)
            }
        }
    }

    @Test func `octets that are no UTF-8 can be had back from what the agent shows`() throws {
        let configuration = Configuration()
        let routes = try RouteObjects(configuration, namesServerPorts: false)
        let recent = RecentBoard()
        var outputs = PipelineOutputs()
        outputs.recent = recent
        let run = TrafficRun(routes, configuration, isLive: false, at: 0, keys: nil)
        var worker = CaptureWorker(run.makePipeline(outputs: outputs))
        let stop = StopFlag()
        let path = "\(Repository.path)/Tests/TrafficPipelineTests/Fixtures/cases/ndjson-octets-lost.pcap"
        var capture = try SavefileCapture(paths: [path], stop: stop)
        capture.run(into: &worker, until: stop)
        worker.captureEnded()
        let catalogue = RouteCatalogue(routes.tables)
        var targets: [[UInt8]] = []
        for exchange in (recent.routed + recent.unmatched).sorted(by: { $0.number < $1.number }) {
            let octets = JSONText.document { json in
                json.key("exchange")
                json.exchange(exchange, catalogue)
            }
            let request = try #require(try JSONDocument.parse(octets)["exchange"]?["request"])
            #expect(request["octetsEscaped"] == true)
            targets.append(try #require(OctetEscapes.octets(request["target"]?.stringValue ?? "")))
        }
        let beginning = Array("/products/caf".utf8)
        #expect(targets == [beginning + [0xE9], beginning + [0xEA]])
    }

    @Test func `TLS without keys is said under the routes, with the option that reads it`() throws {
        let analysis = try plan("\(Repository.path)/samples/captures/secure.pcap").analyse(writingTo: nil)
        let lines = analysis.report.lines(.plain)
        #expect(lines.contains { $0.contains("TLS connections were not read; name a key log with --key-log") })
    }

    @Test func `without routes the table says how to name them`() throws {
        let command = try #require(try Wingmirror.parseAsRoot(["read", Self.capture]) as? ReadCommand)
        let lines = try ReadPlan(command).analyse(writingTo: nil).report.lines(.plain)
        #expect(
            lines.contains { $0.hasPrefix("  the table has no routes: ") && $0.contains("name them with --routes") }
        )
    }

    @Test func `reading twice gives the same records and metrics`() throws {
        let folder = try TemporaryFolder()
        var pages: [[UInt8]] = []
        for name in ["one", "two"] {
            let records = RecordFile(try OctetOutput.open("\(folder.path)/\(name)"))
            pages.append(
                try plan(Self.capture, "--output", "ndjson", "--fields").analyse(writingTo: records).metricsPage
            )
            try records.finish()
        }
        #expect(pages[0] == pages[1])
        let records = try folder.text(of: "one")
        #expect(records == (try folder.text(of: "two")))
        #expect(records.split(separator: "\n").count == 508)
    }

    @Test(.timeLimit(.minutes(20)))
    func `objects of an API server give the records and metrics that the same objects in files give`() async throws {
        let cluster = TestCluster()
        for object in try ResourceFileLoader().survey(["\(Repository.path)/samples/istio"]).objects.map(\.value)
        where object["apiVersion"] != "apps/v1" { cluster.apply(object) }
        let server = try await TestAPIServer { cluster.answer($0) }
        let folder = try TemporaryFolder()
        let files = try plan(Self.capture, "--output", "ndjson")
        var served = files
        served.configuration.routes.files = []
        let objects = try await ClusterObjects.read(
            ClusterAccess(server: server.url),
            served.configuration,
            within: .seconds(1_200)
        )
        await server.close()
        func page(_ plan: ReadPlan, _ name: String, _ objects: ClusterObjects?) throws -> [UInt8] {
            let records = RecordFile(try OctetOutput.open("\(folder.path)/\(name)"))
            let page = try plan.analyse(writingTo: records, cluster: objects).metricsPage
            try records.finish()
            return page
        }
        #expect(try page(files, "files", nil) == page(served, "served", objects))
        let records = try folder.text(of: "served")
        #expect(records == (try folder.text(of: "files")))
        #expect(records.contains("default/product-vs"))
    }

    @Test func `the table attributes products and orders, and counts the rest as unmatched`() throws {
        let report = try plan(Self.capture).analyse(writingTo: nil).report
        #expect(report.rows.map(\.object) == ["default/order-vs", "default/product-vs"])
        #expect(report.rows.map(\.requests) == [175, 313])
        #expect(report.unmatched.map(\.reason) == ["no_match", "rejected"])
        #expect(report.unmatched.map(\.requests) == [17, 3])
        #expect(report.lines(.plain).contains { $0.contains("uri prefix /products") })
    }

    @Test func `requests alone have no shares and no times, and answers alone are no health`() throws {
        let requests = try plan(Self.capture, "--filter", "dst port 8080").analyse(writingTo: nil).report.lines(.plain)
        #expect(requests.contains { $0.contains("of 508 requests were not captured; is one direction filtered out?") })
        for row in requests.filter({ $0.contains("uri prefix") }) {
            #expect(!row.contains("0 %") && !row.contains("ms") && !row.contains("µs"), "\(row)")
        }
        let answers = try plan(Self.capture, "--filter", "src port 8080").analyse(writingTo: nil).report.lines(.plain)
        #expect(answers.first?.hasPrefix("Routes  0 requests") == true)
        #expect(answers[1].contains("answers were captured without their requests; is one direction filtered out?"))
    }

    @Test func `a terminal of 80 columns shows the object and the rule of every row, and what it matches`() throws {
        let lines = try plan(Self.capture).analyse(writingTo: nil).report.lines(TerminalStyle(width: 80))
        #expect(lines.allSatisfy { $0.displayWidth <= 80 })
        let rows = lines.filter { $0.contains("#0") }
        #expect(rows.map { $0.contains("defau…product-vs  #0     uri pr…x /products ") } == [false, true])
        #expect(rows.map { $0.contains("default/order-vs  #0     uri prefix /orders ") } == [true, false])
        #expect(rows.map { $0.contains("3.51 %") } == [false, true], "the share of 4xx is not left out")
        #expect(rows.map { $0.hasSuffix("s") } == [true, true], "the last column is a duration")
    }

    // MARK: Several jobs

    private static let laboratory = "\(Repository.path)/Tests/TrafficPipelineTests/Fixtures/labs"

    /// What `read` gives: metrics, table, records, and what could not be read.
    private func result(_ paths: [String], _ options: [String]) throws -> [String] {
        let folder = try TemporaryFolder()
        let records = RecordFile(try OctetOutput.open("\(folder.path)/records"))
        let arguments = ["read"] + paths + options + ["--routes", "\(Repository.path)/samples/istio"]
        let command = try #require(try Wingmirror.parseAsRoot(arguments) as? ReadCommand)
        let analysis = try ReadPlan(command).analyse(writingTo: records)
        try records.finish()
        return [
            String(decoding: analysis.metricsPage, as: UTF8.self),
            analysis.report.lines(.plain).joined(separator: "\n"),
            try folder.text(of: "records"),
            analysis.problems.joined(separator: "\n"),
        ]
    }

    @Test(arguments: [2, 3])
    func `several jobs give the metrics, table and records of one, in the same order`(jobs: Int) throws {
        let captures = ["\(Self.laboratory)/canary.pcap.gz", "\(Self.laboratory)/seed.pcap.gz", Self.capture]
        let options = ["--output", "ndjson", "--fields", "--content", "64"]
        for paths in [[captures[0]], [captures[1], captures[0]], captures] {
            let one = try result(paths, options + ["--jobs", "1"])
            #expect(one[2].split(separator: "\n").count > 100)
            #expect(try result(paths, options + ["--jobs", "\(jobs)"]) == one)
        }
    }

    @Test func `several jobs read the others when one file is damaged, and say what one job says`() throws {
        let folder = try TemporaryFolder()
        let cut = "\(folder.path)/cut.pcap.gz"
        let whole = try Data(contentsOf: URL(filePath: "\(Self.laboratory)/seed.pcap.gz"))
        try whole.dropLast(1_000).write(to: URL(filePath: cut))
        let text = try folder.write("no pcap file", to: "text.pcap")
        let paths = [cut, text, "\(Self.laboratory)/canary.pcap.gz"]
        let one = try result(paths, ["--output", "ndjson", "--jobs", "1"])
        #expect(one[3].split(separator: "\n").count == 2)
        #expect(one[3].contains(cut) && one[3].contains(text))
        #expect(try result(paths, ["--output", "ndjson", "--jobs", "2"]) == one)
    }

    @Test func `a savefile that is cut gives what came before, and says where`() throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: URL(filePath: Self.capture))
        try whole.prefix(100_000).write(to: URL(filePath: "\(folder.path)/cut.pcap"))
        let analysis = try plan("\(folder.path)/cut.pcap").analyse(writingTo: nil)
        #expect(analysis.failures.map(\.code) == [.damaged])
        #expect(analysis.failures.first?.offset != nil)
        #expect(analysis.figures.interfaces.first.map { $0.packets > 0 } == true)
    }

    @Test(arguments: ["/nowhere.pcap", "/", #filePath])
    func `what is no savefile fails with one line`(path: String) throws {
        let plan = try plan(path)
        let failure = #expect(throws: CommandFailure.self) { try plan.analyse(writingTo: nil) }
        // A name that leads nowhere is a mistake on the command line.
        #expect(failure?.status == (path == "/nowhere.pcap" ? .usage : .failed))
        #expect(failure?.lines.count == 1)
    }

    @Test func `a capture of which nothing could be decoded says so, with the link type`() throws {
        let folder = try TemporaryFolder()
        var writer = SavefileWriter(linkType: LinkType(rawValue: 147))
        for number in 0..<3 {
            writer.append([UInt8](repeating: 1, count: 60), at: PacketTime(nanoseconds: Int64(number)))
        }
        try Data(writer.octets).write(to: URL(filePath: "\(folder.path)/user0.pcap"))
        let analysis = try plan("\(folder.path)/user0.pcap").analyse(writingTo: nil)
        #expect(analysis.problems.count == 1)
        #expect(analysis.problems.first?.contains("link type 147") == true)
        #expect(try plan(Self.capture).analyse(writingTo: nil).problems.isEmpty)
    }

    @Test func `a filter that makes no sense is bad usage`() throws {
        let plan = try plan(Self.capture, "--filter", "no such thing")
        let failure = #expect(throws: CommandFailure.self) { try plan.analyse(writingTo: nil) }
        #expect(failure?.status == .usage)
    }
}
