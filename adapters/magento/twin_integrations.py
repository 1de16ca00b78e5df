"""System > Extensions > Integrations: what the merchant and the admin's pages do there."""

from collections.abc import Mapping
from urllib.parse import urlencode

from adapters.magento.twin_browser import Browser, addresses_to_copy
from adapters.magento.twin_oauth import Integration, OAuth, Token
from adapters.twins import Postman
from connector.domain.clock import Clock

CALLBACK_SECONDS = 5.0
"""Integration/etc/config.xml: post_timeout (magento reference, section 1.1)."""


class NotActivated(Exception):
    """The admin's page shows: Unable to post data to consumer due to an unexpected error."""


class Integrations:
    def __init__(self, oauth: OAuth, clock: Clock, base: str, routes: Mapping[str, str]) -> None:
        self.success_call_back = f"{base}/admin_1x7k/admin/integration/loginSuccessCallback/key/5f0c2b9e/"
        self._oauth = oauth
        self._clock = clock
        self._base = base
        self._postman = Postman(routes, timeout=CALLBACK_SECONDS)
        self._browser = Browser(routes)

    def approve(self, link: str) -> str:
        """Activate with the addresses shown at `link`."""
        _, page = self._browser.open(link)
        return self.activate(*addresses_to_copy(page))

    def activate(self, callback_url: str, identity_url: str) -> str:
        """Where the popup ended. Raises NotActivated."""
        return self._authorize(self._oauth.add(callback_url, identity_url))

    def reauthorize(self) -> str:
        """Where the popup ended. Raises NotActivated."""
        return self._authorize(self._oauth.integrations[-1])

    def tokens(self) -> dict[str, str]:
        """The four secrets of an integration without addresses."""
        integration = next((one for one in self._oauth.integrations if not one.callback_url), None)
        integration = integration or self._oauth.add()
        token = integration.token = integration.token or Token("access")
        return {
            "consumer_key": integration.key,
            "consumer_secret": integration.secret,
            "access_token": token.token,
            "access_token_secret": token.secret,
        }

    def _authorize(self, integration: Integration) -> str:
        integration.token, integration.posted_at = Token(), self._clock.now()
        words = {
            "oauth_consumer_key": integration.key,
            "oauth_consumer_secret": integration.secret,
            "store_base_url": f"{self._base}/",
            "oauth_verifier": integration.token.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._postman.post(integration.callback_url, headers, urlencode(words).encode()) is None:
            raise NotActivated("Unable to post data to consumer due to an unexpected error")
        # The page joins the parts as they are: an identity URL with a query of its own would be broken.
        popup = f"{integration.identity_url}?oauth_consumer_key={integration.key}"
        end, _ = self._browser.open(f"{popup}&success_call_back={self.success_call_back}", until=self.success_call_back)
        return end
