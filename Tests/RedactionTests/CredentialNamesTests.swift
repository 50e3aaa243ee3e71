// Wingmirror · Apache-2.0
// Names that were let through.

import Testing

@testable import Redaction

@Suite struct CredentialNamesTests {
    /// Names under which credentials were seen to travel, in headers, queries, forms and JSON.
    static let credentials = """
        authorization proxy-authorization cookie cookie2 set-cookie x-authorization x-auth x-original-authorization
        x-forwarded-authorization authentication x-authentication authentication-info apikey api-key x-api-key x-apikey
        x-goog-api-key ocp-apim-subscription-key x-functions-key x-rapidapi-key x-algolia-api-key x-master-key
        x-shopify-storefront-access-token x-access-key x-forwarded-client-cert x-ssl-client-cert ssl-client-cert
        x-client-cert client-cert client-cert-chain x-tls-client-cert x-arr-clientcert x-ssl-cert x-client-certificate
        cf-access-jwt-assertion x-goog-iap-jwt-assertion x-goog-authenticated-user-email x-goog-authenticated-user-id
        x-amzn-oidc-data x-amzn-oidc-identity x-endpoint-api-userinfo x-jwt-assertion x-jwt-payload
        x-ms-client-principal x-remote-user remote-user x-webauth-user dpop signature signature-input x-signature
        x-hub-signature x-hub-signature-256 stripe-signature x-amz-signature x-slack-signature
        x-auth-key x-auth-email x-sentry-auth x-wsse x-hmac x-shopify-hmac-sha256 x-totp x-2fa x-mfa-code x-pin x-sid
        x-pwd x-user-pass x-ticket x-assertion x-subscription-key x-app-key appkey x-admin-key x-service-key
        x-client-key x-license-key x-webhook-key x-encryption-key x-accesskey
        x-amz-server-side-encryption-customer-key sec-websocket-protocol x-forwarded-user x-forwarded-email
        x-forwarded-preferred-username x-auth-request-user x-auth-request-email x-consumer-username
        x-authenticated-userid impersonate-user impersonate-group
        auth access_key accesskey api_key app_key key subscription-key code_verifier assertion client_assertion
        samlresponse samlrequest sig sign hmac ticket totp pin cvv cvc sid session_id phpsessid aspsessionid
        x-amz-credential x-goog-credential awsaccesskeyid googleaccessid pwd pass
        pw oobcode magic_link sas accesskeyid policy key-pair-id
        access_token accesstoken id_token refresh_token client_secret clientsecret user_password user[password]
        passwd passphrase newpassword password_confirmation x-my_secret csrf_token x-csrf-token _csrf xsrf-token
        bearer_token private-token x-session-token sessionid jsessionid jwt id.token.hint otp otp_code
        user[api_key] login[pwd] card[cvv] user[pin] api_key[] user.pwd db_pwd account_pwd old_pw new_pin user_sid
        __Host-sid X-App-Sid X-Pin-Code otpCode mfaCode totpCode sessionKey signingKey webhookKey masterKey
        subscriptionKey encryptionKey cardCvv userPin sessionkey signingkey masterkey users[0][pwd] pwd[0] pwd2 cvv2
        pw_confirm newPwd pinNumber AWSAccessKeyId SAMLResponse PHPSESSID JSESSIONID X-API-Key OTPCode apiKey
        X-Api-Key2 X-Api-Key-2 X-Api-Key-V2 X-Api-Key-Prod X-Key1 X-Api-Keys X-Session2 X-Pass2 X-Otp2 X-Csrf2 X-Sso2 X-Hmac256
        cvv[0][value] pin[1][confirm] pwd[2][new] cards[0][cvv][1][value] new_pin_2_confirm pin-2-check cvv_1_value
        X-Bearer2 X-Auth0 X-Sessid X-Cookies Ssl-Client-Raw-Cert session_cookies apiKeys accessKeys2
        X-UserPin ClientHmac AppSid deviceKey X-DeviceKey UserAuth MfaCode ApiSig mySession X-UserPIN x-user-pin-bin
        session-bin auth-token-bin
        X-Firebase-AppCheck X-Forwarded-Tls-Client-Cert X-Forwarded-Tls-Client-Cert-Info Ssl-Client-Subject-Dn
        X-Ssl-Client-Dn X-Tls-Client-Dn X-Client-Dn X-Rh-Identity
         'pwd' pwd! pwd* (sid) a|pwd a,pwd a~pwd user{pin} user>pin pwd\u{0} pwd\t
         psk wpa_psk user_psw pswd recovery_code securityCode verification-code backup-codes access_code card_number cardNumber
         ccnum credit_card mnemonic X-Honeycomb-Team hdnts samlart wresult
         SMSESSION MYSAPSSO2 SM_USER iv-user iv-creds OAM_REMOTE_USER X-Trusted-User X-Jenkins-Crumb crumb CAS-Ticket
         CB-ACCESS-SIGN creds authcode csrf_tok verificationCode X-Invite-Code reset_code
        userpwd pwdHash loginPasswort g-recaptcha-response h-captcha-response cf-turnstile-response connectionString
        smsCode one_time_code mTAN sim_puk card[ccv] user_code cc_num signed_request securityAnswer X-Authz
        ctl00$main$pin login:pin url_sig X-Apigateway-Api-Userinfo user[session][id] _token __RequestVerificationToken
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    /// Names that look like them, and must go through.
    static let harmless = """
        accept accept-language content-type content-length host user-agent referer origin range if-none-match etag
        x-request-id x-forwarded-for x-forwarded-proto x-real-ip via traceparent sec-fetch-mode sec-websocket-key
        sec-websocket-version x-author author authors authority x-keyboard keyboard keyword keywords monkey turkey
        passenger passport bypass compass designer signal assign signup design pinned spin opinion shipping
        idempotency-key x-idempotency-key cache-key surrogate-key sort_key partition_key primary_key row-key
        session-length token_type max_tokens obsession possession cookie-consent sides sidebar inside
        ticket_count tickets policy-id referrer-policy content-security-policy code state page q query id name email
        user username color tokyo password-policy signature-method
        idempotencyKey cacheKey sortKey primaryKey partitionKey routingKey maxTokens tokenType sessionLength
        signatureMethod cookieConsent passThrough zipCode orderNumber userId iPhone pinned[0] spin_count side_id
        sids user[name] items[0][id] pinterest sigma design.color signs assignSign key_word keyboardLayout passport_no
        authorName compassHeading pinCount sort_keys surrogate-keys cache-key-2 Public-Key-Pins http2-settings p2p v2 []
        max-keys maxKeys keys keys[] response_keys featureKeys Sec-WebSocket-Key1 sessions signatures policy1 policy-v1 sign-v2
        grpc-trace-bin recycle-bin
        breadcrumb bread_crumb zip_code country-code promo_code call-sign stoke token-type
        string-connection captcha turnstile upward response sms user-codec author_name tank
        ticket2 oauth2-scope Auth0-Client acceptCookies max_sessions
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    @Test(arguments: credentials)
    func `a credential's name is known wherever it stands`(name: String) {
        #expect(CredentialNames.contains(name))
        #expect(ShownRequest.hidesField(name))
        let target = Array("/a?x=1&\(name)=planted".utf8)
        #expect(String(decoding: ShownRequest.redacted(url: target), as: UTF8.self).hasSuffix("=[redacted]"))
        var count = 0
        let sent = Self.parameters.redacted(target: target, redactions: &count)
        #expect(String(decoding: sent, as: UTF8.self) == "/a?x=1")
        #expect(count == 1)
    }

    @Test(arguments: harmless)
    func `a name that only looks like one goes through`(name: String) {
        #expect(!CredentialNames.contains(name))
    }

    private static var parameters: ParameterRedaction {
        ParameterRedaction(RedactionRules(), values: ValueRedaction(key: RedactionKey(high: 1, low: 2)))
    }

    @Test(arguments: [
        ("/login?next=http%3A%2F%2Fh%2F%3Ftoken%3Dplanted%26a%3D1", "/login?next=http%3A%2F%2Fh%2F%3Fa%3D1"),
        ("/login?next=http://h/?token=planted", "/login?next=http%3A%2F%2Fh%2F"),
        ("/login?next=https%3A%2F%2Fu%3Aplanted%40h%2F", "/login?next=https%3A%2F%2Fh%2F"),
        ("/login?next=%2Fb%3Fsig%3Dplanted", "/login?next=%2Fb"),
        ("/a?u=%2Fb%3Fv%3D%252Fc%253Ftoken%253Dplanted", "/a?u=%2Fb%3Fv%3D%252Fc"),
        ("/a?next=http%3A%2F%2Fh%2F%3Fx%3D1", "/a?next=http%3A%2F%2Fh%2F%3Fx%3D1"),
        ("/login?next=home%3Ftoken%3Dplanted%26a%3D1", "/login?next=home%3Fa%3D1"),
        ("/login?next=home;jsessionid=planted", "/login?next=home"),
        ("/login?next=%3Ftoken%3Dplanted%26a%3D1", "/login?next=%3Fa%3D1"),
        ("/login?next=//u:planted@h/a", "/login?next=%2F%2Fh%2Fa"),
        ("/login?next=https%3A%2F%2Fh%2Fa%23access_token%3Dplanted", "/login?next=https%3A%2F%2Fh%2Fa"),
        ("/login?next=home%23access_token%3Dplanted", "/login?next=home"),
        ("//u:planted@h/a?b=c", "//h/a?b=c"),
        ("/a?q=what?token", "/a?q=what?token"),
        ("/a?u=postgres%3A%2F%2Fuser%3Aplanted%40h", "/a?u=postgres%3A%2F%2Fh"),
        ("/a?u=wss://user:planted@h/x", "/a?u=wss%3A%2F%2Fh%2Fx"),
        ("/a?u=mongodb%2Bsrv%3A%2F%2Fuser%3Aplanted%40h", "/a?u=mongodb%2Bsrv%3A%2F%2Fh"),
        ("/a?u=jdbc:postgresql://user:planted@h", "/a?u=jdbc%3Apostgresql%3A%2F%2Fh"),
        ("git+ssh://user:planted@h/x", "git+ssh://h/x"),
        ("/proxy/https://user:planted@h/x", "/proxy/https://h/x"),
        ("/a?%2574oken=planted&b=c", "/a?b=c"),
        ("/a?next=https%253A%252F%252Fh%252F%253Ftoken%253Dplanted", "/a?next=https%253A%252F%252Fh%252F"),
        ("/go/https%3A%2F%2Fu%3Aplanted%40h%2F/x", "/go/https%3A%2F%2Fh%2F/x"),
        ("/a%3Bjsessionid=planted?b=c", "/a?b=c"),
        ("/a%2Fb%20c%3Bd=e?f=g", "/a%2Fb%20c%3Bd=e?f=g"),
        ("/a?pin%3Dplanted&b=c", "/a?b=c"), ("/a;pin%3dplanted/b", "/a/b"), ("/a?b%3Dc&%3D&%3", "/a?b%3Dc&%3D&%3"),
        ("/a?u=http://h&mail=anna@example.com", "/a?u=http://h&mail=anna@example.com"),
        ("/a?x=100%25&y=50%2525", "/a?x=100%25&y=50%2525"),
        ("/a?q=what?x=1", "/a?q=what?x=1"),
        ("/a?mail=anna@example.com;x=1", "/a?mail=anna@example.com;x=1"),
        ("/a?mail=anna@example.com", "/a?mail=anna@example.com"),
    ])
    func `links within values lose their credentials, however deep`(target: String, expected: String) {
        var count = 0
        let sent = Self.parameters.redacted(target: Array(target.utf8), redactions: &count)
        #expect(String(decoding: sent, as: UTF8.self) == expected)
        #expect((count > 0) == target.contains("planted"))
        let shown = String(decoding: ShownRequest.redacted(url: Array(target.utf8)), as: UTF8.self)
        #expect(!shown.contains("planted"))
        #expect((shown == target) == !target.contains("planted"))
    }

    @Test func `links in links without end are left out`() {
        var link = "/x?token=planted"
        for _ in 0..<9 { link = "/a?u=" + String(decoding: LinkText.encoded(Array(link.utf8)), as: UTF8.self) }
        var count = 0
        let sent = Self.parameters.redacted(target: Array(link.utf8), redactions: &count)
        #expect(count > 0 && !String(decoding: sent, as: UTF8.self).contains("planted"))
        #expect(!String(decoding: ShownRequest.redacted(url: Array(link.utf8)), as: UTF8.self).contains("planted"))
    }

    @Test func `in a form a value behind an encoded equals sign is hashed`() {
        var count = 0
        let form = Array("a=b&token%3Dplanted&c%3Dd".utf8)
        let sent = Self.parameters.redacted(query: form, credentials: .hashed, redactions: &count)
        let text = String(decoding: sent, as: UTF8.self)
        #expect(text.hasPrefix("a=b&token%3Dwm-") && text.hasSuffix("&c%3Dd") && !text.contains("planted"))
        #expect(count == 1)
    }

    @Test func `a Link field keeps everything but credentials`() {
        var count = 0
        let value = #"<https://h/a?token=planted&p=2>; rel="next", </b>; rel=prev"#
        let sent = Self.parameters.redacted(links: Array(value.utf8), redactions: &count)
        #expect(String(decoding: sent, as: UTF8.self) == #"<https://h/a?p=2>; rel="next", </b>; rel=prev"#)
        #expect(count == 1)
    }

    @Test(arguments: [
        ("see https://h/x?token=planted&b=c, or https://u:planted@h/", "see https://h/x?b=c, or https://h/"),
        (#"main="https://h/?token=planted", b="https://h/?b=c#d""#, #"main="https://h/", b="https://h/?b=c#d""#),
        ("https%3A%2F%2Fh%2F%3Ftoken%3Dplanted%26b%3Dc", "https%3A%2F%2Fh%2F%3Fb%3Dc"),
        ("home?token=planted&a=b", "home?a=b"), ("text/html;token=0.5", "text/html;token=0.5"),
        ("/a?token=planted&b=c https://h/x", "/a?b=c https://h/x"),
        ("/go?token=planted&u=https://h/?b=c", "/go?u=https://h/?b=c"),
        (#"see /a?token=planted, "/b?sig=planted" and (home?pin=planted)"#, #"see /a, "/b" and (home)"#),
        (#"url="/y;sid=planted", {"url": "/a?token=planted"}"#, #"url="/y", {"url": "/a"}"#),
        ("https%3A%2F%2Fh%2F%3Ftoken%3Dplanted https://k/?b=c", "https%3A%2F%2Fh%2F https://k/?b=c"),
        ("say (a/b?c) what?\t/d#e, https://h/?b=c", "say (a/b?c) what?\t/d#e, https://h/?b=c"),
    ])
    func `links among other text lose their credentials`(value: String, expected: String) {
        var count = 0
        let sent = Self.parameters.redacted(field: Array(value.utf8), redactions: &count)
        #expect(String(decoding: sent, as: UTF8.self) == expected)
        #expect((count > 0) == value.contains("planted"))
    }

    @Test func `hosts of a Forwarded field lose their users`() {
        var count = 0
        let value = #"for=192.0.2.1;host="u:pl,anted@h:80", for=b;host=u:planted@h"#
        let sent = Self.parameters.redacted(forwarded: Array(value.utf8), redactions: &count)
        #expect(String(decoding: sent, as: UTF8.self) == #"for=192.0.2.1;host="h:80", for=b;host=h"#)
        #expect(count == 2)
    }

    @Test(arguments: [("anna:planted@shop.example.com", "[redacted]@shop.example.com"), ("shop:80", "shop:80")])
    func `a host is shown without user and password`(authority: String, shown: String) {
        #expect(String(decoding: ShownRequest.redacted(authority: Array(authority.utf8)), as: UTF8.self) == shown)
    }
}
