// A real identity provider on a free port, at another site than the service: `localhost`, where that is 127.0.0.1.

import { createServer } from 'node:http';
import Provider from 'oidc-provider';

export const CLIENT = 'borgerlinje';
export const SECRET = 'en hemmelighed mellem to maskiner';

export class IdentityProvider {
  #server = createServer();

  /** `people`: by subject, what it says of them. Clients come when the service's address is known. */
  static async start(people) {
    const one = new IdentityProvider();
    one.people = people;
    await new Promise((ok) => one.#server.listen(0, '127.0.0.1', ok));
    one.issuer = `http://localhost:${one.#server.address().port}`;
    return one;
  }

  serves(redirect) {
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: CLIENT, client_secret: SECRET, redirect_uris: [redirect] }],
      claims: { openid: ['sub'], profile: ['preferred_username'] },
      // As Entra ID and Keycloak do: what is asked for is in the ID token.
      conformIdTokenClaims: false,
      cookies: { keys: ['of the test alone'] },
      findAccount: (_, id) => (this.people[id] ? { accountId: id, claims: () => ({ sub: id, ...this.people[id] }) } : undefined),
    });
    provider.on('server_error', (_, e) => console.error(e));
    this.#server.on('request', provider.callback());
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((ok) => this.#server.close(ok));
  }

  /** What a person does at its pages: says who they are, and that it may be told. */
  static async pass(page, subject) {
    await page.locator('input[name=login]').fill(subject);
    await page.locator('input[name=password]').fill('det er ligegyldigt her');
    await page.locator('button[type=submit]').click();
    await page.locator('input[name=prompt][value=consent]').waitFor({ state: 'attached' });
    await page.locator('button[type=submit]').click();
  }
}
