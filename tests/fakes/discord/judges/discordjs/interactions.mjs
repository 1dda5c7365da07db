// Commands, buttons, menus and forms, and the time that their answers have.
import assert from "node:assert/strict";
import {
  ActionRowBuilder, ButtonBuilder, ButtonStyle, ComponentType, Events, MessageFlags, ModalBuilder, SlashCommandBuilder,
  StringSelectMenuBuilder, TextInputBuilder, TextInputStyle,
} from "discord.js";
import { ANN, BOT, channel, check, connected, control, GUILD, journal, refusal, rest, shows, someone, until } from "../fake.mjs";

const find = () => new SlashCommandBuilder().setName("find").setDescription("Finds something")
  .addStringOption((option) => option.setName("what").setDescription("What to find").setRequired(true).setAutocomplete(true));
const reset = () => new SlashCommandBuilder().setName("new").setDescription("Starts anew");

const slash = (garden, name, options) => control("slash", { user: ANN, channel: garden, name, options });
const seen = (interaction) => control("interaction", { id: interaction });
const what = (value) => [{ name: "what", type: 3, value }];

/** A bot with its commands in the guild, and what it does with interactions. */
const answering = (answer, work) =>
  connected(async (client) => {
    const done = [];
    client.on(Events.InteractionCreate, (interaction) => done.push(answer(interaction)));
    await client.application.commands.set([find(), reset()], GUILD);
    await work(client, () => Promise.all(done));
  });

const button = (id, label, style = ButtonStyle.Primary) =>
  new ButtonBuilder().setCustomId(id).setLabel(label).setStyle(style);
const row = (...components) => new ActionRowBuilder().addComponents(...components);

export async function interactions() {
  await check("commands are registered, replaced and kept by name", async () => {
    await connected(async (client) => {
      const { commands } = client.application;
      const first = await commands.set([find(), reset()], GUILD);
      assert.equal(first.size, 2);
      const again = await commands.set([reset()], GUILD);
      assert.deepEqual([...again.keys()], [first.find((command) => command.name === "new").id]);
      await commands.set([reset()]);
      const mine = await commands.fetch();
      assert.equal(mine.first().name, "new");
      await commands.delete(mine.first());
      assert.equal((await commands.fetch({ force: true })).size, 0);
      assert.equal((await refusal(commands.set([reset(), reset()], GUILD))).code, 50035);
      const bad = { name: "Bad Name", description: "x" };
      assert.equal((await refusal(rest().put(`/applications/${BOT}/commands`, { body: [bad] }))).code, 50035);
    });
  });

  await check("a command is deferred, answered and followed up", async () => {
    const garden = await channel();
    await answering(
      async (interaction) => {
        await interaction.deferReply();
        await interaction.editReply(`found ${interaction.options.getString("what")}`);
        await interaction.followUp({ content: "and more", flags: MessageFlags.Ephemeral });
      },
      async (_, done) => {
        const { interaction } = await slash(garden, "find", what("roses"));
        await until("two messages", async () => (await seen(interaction)).messages.length === 2);
        await done();
        const { state, messages } = await seen(interaction);
        assert.equal(state, "answered");
        assert.deepEqual(messages.map((message) => [message.content, message.flags]), [["found roses", 0], ["and more", 64]]);
        assert.equal(messages[1].only_for, ANN);
        assert.equal(messages[0].kind, 20);
      },
    );
  });

  await check("while a bot thinks the channel shows it, and the first follow-up takes its place", async () => {
    const garden = await channel();
    await answering(
      async (interaction) => {
        await interaction.deferReply({ flags: MessageFlags.Ephemeral });
        assert.equal((await shows(garden))[0].flags, 64 | 128);
        const message = await rest().post(`/webhooks/${BOT}/${interaction.token}`, { body: { content: "done" } });
        assert.equal(message.flags, 64, "whether it is hidden was decided before");
      },
      async (_, done) => {
        const { interaction } = await slash(garden, "new");
        await until("the answer", async () => (await shows(garden))[0]?.content === "done");
        await done();
        assert.equal((await seen(interaction)).messages.length, 1);
        const listed = await rest().get(`/channels/${garden}/messages`);
        assert.deepEqual(listed, [], "the history of a channel does not show it");
      },
    );
  });

  await check("hidden messages come like private ones", async () => {
    const garden = await channel();
    await answering(
      (interaction) => interaction.reply({ content: "psst", flags: MessageFlags.Ephemeral }),
      async (client, done) => {
        const raw = [];
        client.ws.on("MESSAGE_CREATE", (data) => raw.push(data));
        await slash(garden, "new");
        await until("the message", () => raw.length === 1);
        await done();
        assert.deepEqual([raw[0].guild_id, raw[0].member, raw[0].flags], [undefined, undefined, 64]);
        assert.equal(raw[0].interaction_metadata.user.id, ANN);
      },
    );
  });

  await check("a command that nobody answers has failed, and an answer is too late", async () => {
    const garden = await channel();
    const heard = [];
    await answering((interaction) => heard.push(interaction), async () => {
      const { interaction } = await slash(garden, "new");
      await until("the command", () => heard.length === 1);
      assert.equal((await seen(interaction)).state, "waiting");
      await control("advance", { seconds: 4 });
      assert.equal((await seen(interaction)).state, "failed");
      assert.equal((await refusal(heard[0].reply("late"))).code, 10062);
      assert.deepEqual(await shows(garden), []);
    });
  });

  await check("one interaction has one first answer, and its token ends", async () => {
    const garden = await channel();
    const heard = [];
    await answering((interaction) => heard.push(interaction), async () => {
      await slash(garden, "new");
      await until("the command", () => heard.length === 1);
      const [{ id, token }] = heard;
      const callback = () => rest().post(`/interactions/${id}/${token}/callback`, { body: { type: 5 } });
      const original = `/webhooks/${BOT}/${token}/messages/@original`;
      assert.equal((await refusal(rest().patch(original, { body: { content: "x" } }))).code, 10015);
      await callback();
      assert.equal((await refusal(callback())).code, 40060);
      assert.equal((await rest().patch(original, { body: { content: "x" } })).content, "x");
      assert.equal((await rest().get(original)).content, "x");
      await control("advance", { seconds: 901 });
      const over = await refusal(rest().patch(original, { body: { content: "y" } }));
      assert.deepEqual([over.status, over.code], [401, 50027]);
    });
  });

  await check("a callback can answer with its message", async () => {
    const garden = await channel();
    let resource;
    await answering(
      async (interaction) => ({ resource } = await interaction.reply({ content: "here", withResponse: true })),
      async (_, done) => {
        await slash(garden, "new");
        await until("the answer", async () => (await shows(garden)).length === 1);
        await done();
        assert.equal(resource.message.content, "here");
      },
    );
  });

  await check("options are completed while somebody types", async () => {
    const garden = await channel();
    await answering(
      (interaction) => interaction.respond([{ name: interaction.options.getFocused(), value: "v" }]),
      async (_, done) => {
        const options = [{ name: "what", type: 3, value: "ro", focused: true }];
        const { interaction } = await control("complete", { user: ANN, channel: garden, name: "find", options });
        await until("choices", async () => (await seen(interaction)).callback === 8);
        await done();
        assert.deepEqual((await seen(interaction)).data.choices[0].name, "ro");
      },
    );
  });

  await check("a button changes its message", async () => {
    const garden = await channel();
    const ben = await someone();
    await answering(
      (interaction) => interaction.update({ content: `${interaction.user.id} said ${interaction.customId}`, components: [] }),
      async (client, done) => {
        const content = { content: "Well?", components: [row(button("ask:1:0", "Yes"), button("ask:1:1", "No", ButtonStyle.Danger))] };
        const asked = await client.channels.cache.get(garden).send(content);
        assert.deepEqual((await shows(garden))[0].buttons, [["ask:1:0", "Yes"], ["ask:1:1", "No"]]);
        await control("press", { channel: garden, message: asked.id, user: ben, button: "No" });
        await until("the change", async () => (await shows(garden))[0].content === `${ben} said ask:1:1`);
        await done();
        assert.deepEqual((await shows(garden))[0].buttons, []);
        await refusal(control("press", { channel: garden, message: asked.id, user: ben, button: "Yes" }));
      },
    );
  });

  await check("a button is acknowledged silently, or answered with a message", async () => {
    const garden = await channel();
    await answering(
      async (interaction) => {
        if (interaction.customId === "quiet") return interaction.deferUpdate();
        return interaction.reply({ content: "only you see this", flags: MessageFlags.Ephemeral });
      },
      async (client, done) => {
        const asked = await client.channels.cache.get(garden).send({ content: "Well?", components: [row(button("quiet", "A"), button("loud", "B"))] });
        const press = (name) => control("press", { channel: garden, message: asked.id, user: ANN, button: name });
        const quiet = (await press("A")).interaction;
        await until("the acknowledgement", async () => (await seen(quiet)).state === "answered");
        const loud = (await press("B")).interaction;
        await until("the message", async () => (await seen(loud)).messages.length === 1);
        await done();
        assert.equal((await seen(loud)).messages[0].reply_to, asked.id);
      },
    );
  });

  await check("a menu gives its values", async () => {
    const garden = await channel();
    await answering(
      (interaction) => interaction.update({ content: interaction.values.join(), components: [] }),
      async (client, done) => {
        const options = [{ label: "Red", value: "r" }, { label: "Blue", value: "b" }];
        const menu = new StringSelectMenuBuilder().setCustomId("colour").addOptions(options);
        const asked = await client.channels.cache.get(garden).send({ content: "Which?", components: [row(menu)] });
        assert.equal(asked.components[0].components[0].type, ComponentType.StringSelect);
        await control("press", { channel: garden, message: asked.id, user: ANN, button: "colour", values: ["b"] });
        await until("the change", async () => (await shows(garden))[0].content === "b");
        await done();
      },
    );
  });

  await check("a form is shown and submitted", async () => {
    const garden = await channel();
    await answering(
      async (interaction) => {
        if (interaction.isModalSubmit()) return interaction.reply(interaction.fields.getTextInputValue("name"));
        const input = new TextInputBuilder().setCustomId("name").setLabel("Name").setStyle(TextInputStyle.Short);
        return interaction.showModal(new ModalBuilder().setCustomId("form").setTitle("A form").addComponents(row(input)));
      },
      async (_, done) => {
        const { interaction } = await slash(garden, "new");
        await until("the form", async () => (await seen(interaction)).callback === 9);
        await control("submit", { interaction, fields: { name: "Ann" } });
        await until("the answer", async () => (await shows(garden))[0]?.content === "Ann");
        await done();
      },
    );
  });

  await check("commands of a guild do not exist in private chats, others do", async () => {
    await answering((interaction) => interaction.reply("in private"), async (client, done) => {
      await refusal(control("slash", { user: ANN, name: "new" }));
      await client.application.commands.set([reset()]);
      const { interaction } = await control("slash", { user: ANN, name: "new" });
      await until("the answer", async () => (await seen(interaction)).messages.length === 1);
      await done();
      await client.application.commands.set([]);
    });
  });

  await check("an interaction that came while the bot was cut off is delivered again", async () => {
    const garden = await channel();
    await answering((interaction) => interaction.reply("still here"), async (_, done) => {
      await control("disconnect");
      const { interaction } = await slash(garden, "new");
      await until("the answer", async () => (await seen(interaction)).messages.length === 1, 20_000);
      await done();
      const deliveries = (await journal()).deliveries.filter((delivery) => delivery.chat === garden);
      assert.equal(deliveries[0].delivered.length, 1);
    });
  });
}
