//! What axe-core finds wrong with the pages: nothing serious, in light on a desk and in the dark on a phone.

use browsers::{Axe, Tab};
use serde_json::json;

use super::staff::Staff;
use super::{Person, with_browsers};
use crate::site::Site;
use crate::visitor::{PASSWORD, Visitor};

/// Opens the pages one after the other: none has faults.
pub(super) async fn are_good(tab: &Tab, axe: &Axe, site: &Site, pages: &[&str]) {
    for page in pages {
        tab.visit(site, page).await;
        let faults = axe.faults_in_all_looks(tab).await;
        assert!(faults.is_empty(), "{page}:\n{}", faults.join("\n"));
    }
}

/// Opens the page that a link leads to, and checks it.
async fn leads_to_a_good_page(tab: &Tab, axe: &Axe, link: &str) {
    let here = tab.path().await;
    tab.script(&format!("location.href = document.querySelector({}).href", json!(link))).await;
    tab.until(&format!("location.pathname !== '{here}' && document.readyState === 'complete'")).await;
    let faults = axe.faults_in_all_looks(tab).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn the_pages_for_visitors_and_users_are_free_of_serious_faults() {
    let Some(axe) = Axe::find() else { return };
    with_browsers(async |site, browsers| {
        let tab = browsers.open().await;
        let open = [
            "/",
            "/chatone",
            "/chatgroup",
            "/chatgroup?groupID=42",
            "/chat/",
            "/login/",
            "/register/",
            "/nothing/",
        ];
        are_good(&tab, &axe, site, &open).await;
        Visitor::registered(site, "Ada").await;
        tab.visit(site, "/login/?next=/chat/lobby/").await;
        tab.fill("#username-input", "Ada").await;
        tab.write("#password-input", PASSWORD).await;
        tab.until_state("open").await;
        tab.say("hello").await;
        tab.until_heard("hello").await;
        assert_eq!(axe.faults_in_all_looks(&tab).await, [""; 0]);
        are_good(&tab, &axe, site, &["/notifications/", "/account/", "/logout/", "/admin/"]).await;
    })
    .await;
}

#[tokio::test]
async fn the_lists_of_the_admin_and_what_they_lead_to_are_free_of_serious_faults() {
    let Some(axe) = Axe::find() else { return };
    with_browsers(async |site, browsers| {
        let (grace, ada) = (browsers.open().await, browsers.open().await);
        are_good(&grace, &axe, site, &["/admin/login/"]).await;
        grace.begin(site).await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.say("hello").await;
        ada.until_heard("hello").await;
        are_good(
            &grace,
            &axe,
            site,
            &["/admin/", "/admin/models/chat_message/?account=true", "/admin/nothing/"],
        )
        .await;
        let list = "/admin/models/chat_message/?q=hello";
        are_good(&grace, &axe, site, &[list]).await;
        leads_to_a_good_page(&grace, &axe, "tbody th a").await;
        leads_to_a_good_page(&grace, &axe, ".actions a.danger").await;
        grace.visit(site, list).await;
        grace.click("tbody th a").await;
        grace.change("#id_body", "good day").await;
        grace.done("[name=_continue]", "was changed").await;
        leads_to_a_good_page(&grace, &axe, ".head a").await;
        are_good(&grace, &axe, site, &["/admin/log/"]).await;
    })
    .await;
}

#[tokio::test]
async fn the_admins_pages_of_users_sessions_and_connections_are_free_of_serious_faults() {
    let Some(axe) = Axe::find() else { return };
    with_browsers(async |site, browsers| {
        let (grace, ada) = (browsers.open().await, browsers.open().await);
        grace.begin(site).await;
        ada.visit(site, "/chatone").await;
        ada.until_state("open").await;
        let add = "/admin/models/auth_user/add/";
        are_good(&grace, &axe, site, &[add, "/admin/live/announcements/", "/admin/sessions/clear/"]).await;
        grace.visit(site, add).await;
        grace.script("document.querySelector('form.card').noValidate = true").await;
        grace.click("form.card [name=_save]").await;
        grace.until("document.querySelector('[aria-invalid]')").await;
        assert_eq!(axe.faults_in_all_looks(&grace).await, [""; 0]);
        for page in ["/admin/sessions/", "/admin/live/?still=1"] {
            are_good(&grace, &axe, site, &[page]).await;
            leads_to_a_good_page(&grace, &axe, "td a.danger").await;
        }
        for link in ["password", "access", "history"] {
            grace.visit(site, "/admin/models/auth_user/").await;
            grace.click("tbody th a").await;
            leads_to_a_good_page(&grace, &axe, &format!(".head a[href$='/{link}/']")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_pages_of_a_new_project_and_its_accounts_are_free_of_serious_faults() {
    let Some(axe) = Axe::find() else { return };
    browsers::with_browsers(async |browsers| {
        let site = Site::of(tutorial_4::project()).await;
        let tab = browsers.open().await;
        are_good(&tab, &axe, &site, &["/", "/login/", "/register/", "/nothing"]).await;
        tab.visit(&site, "/register/").await;
        tab.fill("#id_username", "Ada").await;
        tab.fill("#id_password", "short").await;
        tab.write("#id_password_again", PASSWORD).await;
        tab.until("document.querySelector('[aria-invalid]')").await;
        assert_eq!(axe.faults_in_all_looks(&tab).await, [""; 0]);
        tab.fill("#id_password", PASSWORD).await;
        tab.write("#id_password_again", PASSWORD).await;
        tab.until("document.querySelector('header form button')").await;
        are_good(&tab, &axe, &site, &["/account/password/", "/logout/", "/chat/lobby/"]).await;
        tab.until("document.querySelector('#state')?.textContent === 'Connected.'").await;
        tab.write("#say input", "hello").await;
        tab.until("document.querySelector('#log li')").await;
        assert_eq!(axe.faults_in_all_looks(&tab).await, [""; 0]);
    })
    .await;
}
