// Wingmirror · Apache-2.0

import AdminServer
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(20)))
struct QuestionTests {
    @Test(arguments: [
        ("/api/v1/routes", AdminQuestion.Subject.routes), ("/api/v1/exchanges", .exchanges),
        ("/api/v1/explain", .explain), ("/api/v1/unmatched", .unmatched), ("/api/v1/findings", .findings),
        ("/api/v1/timeline", .timeline), ("/api/v1/packets", .packets),
        ("/api/v1/mirror", .mirror),
    ])
    func `each question has its address`(path: String, subject: AdminQuestion.Subject) async throws {
        var sources = AdminSources.fixed()
        sources.answer = { question in .document(Array("\"\(question.subject)\"".utf8)) }
        try await withServer(sources) { port in
            let response = try await TestClient.request("GET", path, port: port)
            #expect((response.status, response.text) == (200, "\"\(subject)\""))
            #expect(response.fields["content-type"] == "application/json")
        }
    }

    @Test func `parameters are decoded and may occur several times`() async throws {
        let asked = Mutex<AdminQuestion?>(nil)
        var sources = AdminSources.fixed()
        sources.answer = { question in
            asked.withLock { $0 = question }
            return .document([])
        }
        try await withServer(sources) { port in
            let query = "header=x-user%3A%207&header=a%3Ab&path=/%3Cb%3E&method=GET"
            _ = try await TestClient.request("GET", "/api/v1/explain?\(query)", port: port)
        }
        let question = try #require(asked.withLock { $0 })
        #expect(question.values("header") == ["x-user: 7", "a:b"])
        #expect(question.value("path") == "/<b>")
        #expect(question.value("port") == nil)
        #expect(question.content == nil)
    }

    @Test func `the content of a POST goes with the question`() async throws {
        var sources = AdminSources.fixed()
        sources.answer = { .document($0.content ?? []) }
        try await withServer(sources) { port in
            let content = #"{"path":"/"}"#
            let request =
                "POST /api/v1/explain HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: \(content.count)\r\n\r\n"
            let answer = try await TestClient.exchange(request + content, port: port)
            #expect(String(decoding: answer, as: UTF8.self).hasSuffix("\r\n\r\n\(content)"))
        }
    }

    @Test func `a file is for saving, under its name and with a sentence on what is in it`() async throws {
        var sources = AdminSources.fixed()
        sources.answer = { _ in
            .file(
                AdminFile(
                    octets: [0xD4, 0xC3],
                    mediaType: "application/vnd.tcpdump.pcap",
                    name: "a-1.pcap",
                    note: "2 bytes"
                )
            )
        }
        try await withServer(sources) { port in
            let response = try await TestClient.request("GET", "/api/v1/packets?connection=1", port: port)
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "application/vnd.tcpdump.pcap")
            #expect(response.fields["content-disposition"] == "attachment; filename=\"a-1.pcap\"")
            #expect(response.fields["wingmirror-note"] == "2 bytes")
            #expect(response.fields["cache-control"] == "no-store")
            #expect(response.fields["x-content-type-options"] == "nosniff")
            #expect(response.fields["content-length"] == "2")
        }
    }

    @Test func `what makes no sense and what is not there are told apart`() async throws {
        var sources = AdminSources.fixed()
        sources.answer = {
            $0.subject == .routes ? .missing("the table has no route 7") : .refused("limit: expected a number")
        }
        try await withServer(sources) { port in
            let missing = try await TestClient.request("GET", "/api/v1/routes?route=7", port: port)
            #expect((missing.status, missing.text) == (404, "the table has no route 7\n"))
            let refused = try await TestClient.request("GET", "/api/v1/exchanges?limit=x", port: port)
            #expect((refused.status, refused.text) == (400, "limit: expected a number\n"))
        }
    }

    // MARK: - Requests that change something

    @Test(arguments: [
        (["Origin": "http://evil.example"], 403), (["Sec-Fetch-Site": "cross-site"], 403),
        (["Sec-Fetch-Site": "same-site"], 403), (["Origin": "null"], 403), (["Sec-Fetch-Site": "same-origin"], 200),
        // What an old browser sends of a form, and what no form can send.
        ([:], 403), (["Content-Type": "application/x-www-form-urlencoded"], 403), (TestClient.own, 200),
        (["Content-Type": "application/json"], 200), (["Authorization": "Bearer x"], 200),
        (["Authorization": "Basic eDp5"], 403), (["X-Wingmirror-Request": "1", "Sec-Fetch-Site": "cross-site"], 403),
    ])
    func `a page of another origin cannot pause mirroring or reload`(fields: [String: String], status: Int) async throws
    {
        var sources = AdminSources.fixed()
        sources.reload = { .reloaded([]) }
        sources.pauseMirror = { .document(Array(($0 ? "paused" : "resumed").utf8)) }
        try await withServer(sources) { port in
            for path in ["/-/mirror/pause", "/-/mirror/resume", "/-/reload"] {
                let found = try await TestClient.request("POST", path, port: port, fields: fields).status
                #expect(found == status)
            }
        }
    }

    @Test func `verdicts begin anew for one policy or all, and an unknown one is said`() async throws {
        var sources = AdminSources.fixed()
        sources.judgeAgain = { policy in
            switch policy {
            case nil: .document(Array("2 verdicts begin anew".utf8))
            case "canary": .document(Array("1 verdict begins anew".utf8))
            case let name?: .missing("there is no mirror policy \(name)")
            }
        }
        try await withServer(sources) { port in
            let all = try await TestClient.request("POST", "/-/mirror/judge-again", port: port, fields: TestClient.own)
            #expect((all.status, all.text) == (200, "2 verdicts begin anew\n"))
            let one = try await TestClient.request(
                "POST",
                "/-/mirror/judge-again?policy=canary",
                port: port,
                fields: TestClient.own
            )
            #expect((one.status, one.text) == (200, "1 verdict begins anew\n"))
            let unknown = try await TestClient.request(
                "POST",
                "/-/mirror/judge-again?policy=x",
                port: port,
                fields: TestClient.own
            ).status
            #expect(unknown == 404)
            let read = try await TestClient.request("GET", "/-/mirror/judge-again", port: port).status
            #expect(read == 405)
        }
    }

    @Test func `a parameter that is not known changes nothing`() async throws {
        var sources = AdminSources.fixed()
        sources.reload = { .reloaded([]) }
        sources.pauseMirror = { .document(Array(($0 ? "paused" : "resumed").utf8)) }
        sources.judgeAgain = { _ in .document(Array("all verdicts begin anew".utf8)) }
        try await withServer(sources) { port in
            for (path, reason) in [
                ("/-/mirror/judge-again?polcy=canary", "there is no parameter \"polcy\"; there is policy\n"),
                ("/-/mirror/judge-again?policy=canary&policy=x", "policy: name one, or none for all\n"),
                ("/-/mirror/resume?policy=canary", "there is no parameter \"policy\"; leave it out\n"),
                ("/-/reload?x=1", "there is no parameter \"x\"; leave it out\n"),
            ] {
                let answer = try await TestClient.request("POST", path, port: port, fields: TestClient.own)
                #expect((answer.status, answer.text) == (400, reason))
            }
        }
    }

    @Test func `a page of this origin may pause and resume mirroring`() async throws {
        var sources = AdminSources.fixed()
        sources.pauseMirror = { .document(Array(($0 ? "paused" : "resumed").utf8)) }
        try await withServer(sources) { port in
            let fields = ["Origin": "http://127.0.0.1:\(port)", "Sec-Fetch-Site": "same-origin"]
            let paused = try await TestClient.request("POST", "/-/mirror/pause", port: port, fields: fields)
            #expect((paused.status, paused.text) == (200, "paused\n"))
            let resumed = try await TestClient.request("POST", "/-/mirror/resume", port: port, fields: fields)
            #expect((resumed.status, resumed.text) == (200, "resumed\n"))
            let asked = try await TestClient.request("GET", "/-/mirror/pause", port: port).status
            #expect(asked == 405)
        }
    }

    @Test func `what is off is not found, with the setting that switches it on`() async throws {
        try await withServer(.fixed()) { port in
            let mirror = try await TestClient.request("POST", "/-/mirror/pause", port: port, fields: TestClient.own)
            #expect(mirror.status == 404)
            #expect(mirror.text.contains("mirror.enabled"))
            let istio = try await TestClient.request("GET", "/metrics/istio", port: port)
            #expect(istio.status == 404)
            #expect(istio.text.contains("metrics.istioCompat"))
        }
    }

    @Test func `the families of Istio are scraped like the others`() async throws {
        let observations = Observations()
        var sources = AdminSources.fixed(observations)
        sources.istioExposition = { _, _ in
            Exposition(contentType: "text/plain", format: "text", octets: Array("istio_requests_total 1\n".utf8))
        }
        try await withServer(sources) { port in
            let response = try await TestClient.request("GET", "/metrics/istio", port: port)
            #expect(response.text == "istio_requests_total 1\n")
        }
        #expect(observations.counted == ["text 200"])
    }
}
