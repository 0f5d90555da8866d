using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;
using Distill.Teacher;

namespace Distill.Serving.Chat;

/// <summary><c>/v1/chat/completions</c>: messages answered, the reasoning apart from the answer. Thread-safe.</summary>
internal sealed class ChatEndpoint(ServedModel model)
{
    public async Task AnswerAsync(Exchange exchange)
    {
        var parameters = new RequestParameters(await exchange.ReadBodyAsync());
        model.RequireNamed(parameters);
        var asked = ChatParameters.Read(parameters, model.Encoder);
        long number = model.NextNumber();
        var request = model.Request(asked.Settings, asked.Prompt, "messages", number, asked.MaxTokens ?? int.MaxValue, asked.Top ?? 0, scores: false);
        string id = model.IdOf("chatcmpl", number);
        if (asked.Settings.Stream)
        {
            await new ChatStream(model, exchange, asked, id, model.Created).RunAsync(request);
            return;
        }

        var completions = await model.Engine.CompleteAsync(request, exchange.Aborted);
        var usage = new Usage(asked.Prompt.Length, completions.Sum(completion => completion.Tokens.Count));
        exchange.Count(usage);
        await exchange.WriteAsync(new ChatBody(id, model.Created, model.Name, [.. completions.Select((completion, index) => Choice(asked, completion, index))], usage));
    }

    private ChatChoice Choice(ChatParameters asked, Completion completion, int index)
    {
        var text = new ReplyText(model.Encoder.Tokenizer, asked.Prompt, _ => { }, asked.Settings.StopStrings);
        int count = completion.StopReason == StopReason.StopToken ? completion.Tokens.Count - 1 : completion.Tokens.Count;
        foreach (int token in completion.Tokens.Take(count)) text.Push(token);
        text.End();
        return new ChatChoice(
            index, new ChatReplyMessage(text.Answer, text.Reasoning.Length == 0 ? null : text.Reasoning),
            asked.Top is null ? null : ChatLogProbabilityReader.Of(completion, model.Spelling), ServedModel.FinishReason(completion.StopReason));
    }
}
