//! The page in a real browser.

use browsers::Tab;

use crate::site::{PASSWORD, Site};
use crate::visitor::Visitor;

async fn until_state(tab: &Tab, state: &str) {
    tab.until(&format!("document.querySelector('#state')?.dataset.state === '{state}'")).await;
}

async fn log_in(tab: &Tab, site: &Site, name: &str) {
    tab.go(&site.url("/")).await;
    tab.until("document.querySelector('#log-in')").await;
    tab.value(&format!("(document.querySelector('[name=username]').value = '{name}')")).await;
    tab.write("[name=password]", PASSWORD).await;
    until_state(tab, "open").await;
}

#[tokio::test]
async fn somebody_logs_in_reads_along_talks_and_logs_out() {
    browsers::with_browsers(async |browsers| {
        let Some(site) = Site::start() else { return };
        let tab = browsers.open().await;
        log_in(&tab, &site, "ben").await;
        assert_eq!(tab.text("#state").await, "Live, as ben");

        let mut ada = Visitor::log_in(&site, "ada").await;
        ada.get("/").await;
        let title = "<img src=x onerror=\"window.hacked = 1\">";
        ada.post("/posts/", &[("title", title), ("text", "at four")]).await;
        tab.until("document.querySelector('.post.live')").await;
        assert_eq!(tab.text(".post h2").await, title);
        assert_eq!(tab.value("typeof window.hacked").await, "undefined");
        // A form that came by the socket is one of Django's.
        tab.write(".post [name=text]", "I bring cake").await;
        tab.until("document.querySelector('.comments')?.textContent.includes('I bring cake')").await;
        until_state(&tab, "open").await;

        let mut page = ada.live().await;
        tab.write("#say [name=text]", "hello ada").await;
        assert_eq!(page.next().await["text"], "hello ada");
        page.say("hello ben").await;
        tab.until("document.querySelector('#chat').lastElementChild?.textContent === 'ada hello ben'").await;

        // In another tab of the same browser, as far as this page can tell.
        tab.value(
            "fetch('/accounts/logout/', {method: 'POST', body: new URLSearchParams({csrfmiddlewaretoken: \
             document.querySelector('[name=csrfmiddlewaretoken]').value})}) && 1",
        )
        .await;
        until_state(&tab, "ended").await;
        assert_eq!(tab.text("#state").await, "You are logged out. Log in again");
        tab.click("#state a").await;
        tab.until("document.querySelector('#log-in')").await;
    })
    .await;
}

#[tokio::test]
async fn the_admin_is_whole_and_what_is_written_there_is_live() {
    browsers::with_browsers(async |browsers| {
        let Some(site) = Site::start() else { return };
        let (reader, writer) = (browsers.open().await, browsers.open().await);
        log_in(&reader, &site, "ben").await;
        log_in(&writer, &site, "ada").await;
        writer.go(&site.url("/admin/board/post/add/")).await;
        let style = "getComputedStyle(document.querySelector('#header')).backgroundColor";
        assert_ne!(writer.value(style).await, "rgba(0, 0, 0, 0)", "the style sheet is there");
        writer.value("(document.querySelector('#id_author').selectedIndex = 1)").await;
        writer.write("#id_title", "From the admin").await;
        writer.until("document.querySelector('.messagelist .success')").await;
        reader.until("document.querySelector('.post.live h2')?.textContent === 'From the admin'").await;
    })
    .await;
}
