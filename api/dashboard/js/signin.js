/** Signin: the way in. */

import * as api from "./api.js";
import { clone, write } from "./templates.js";

function wording(error) {
  if (error.status === 401) return "User name or password is wrong. Check both and try again.";
  return error.message;
}

export class Signin {
  /** @param onDone called when the caller is in; @param said why they are asked again, if they are */
  constructor(onDone, said = "") {
    const { root, parts } = clone("signin-view");
    Object.assign(this, { root, parts, onDone });
    this.complain(said);
    parts.form.addEventListener("submit", (event) => this.submit(event));
  }

  async submit(event) {
    event.preventDefault();
    const { username, password, submit } = this.parts;
    if (!username.value || !password.value) return this.complain("Enter your user name and your password.");
    submit.disabled = true;
    write(submit, "Signing in");
    try {
      await api.signIn(username.value, password.value);
      return this.onDone();
    } catch (error) {
      password.value = "";
      this.complain(wording(error));
      password.focus();
    }
    submit.disabled = false;
    write(submit, "Sign in");
    return undefined;
  }

  complain(text) {
    write(this.parts.error, text);
    this.parts.error.hidden = !text;
  }

  focus() {
    this.parts.username.focus();
  }

  close() {}
}
