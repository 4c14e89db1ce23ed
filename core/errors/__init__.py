"""The errors a person can act on.

    WorkbenchError
    ├── RequestError            what was asked cannot be done as it was asked
    │   ├── EmptyPrompt
    │   ├── ContextOverflow
    │   ├── GrammarInvalid
    │   ├── SchemaInvalid
    │   │   └── SchemaUnreadable
    │   ├── TemplateInvalid
    │   ├── SettingInvalid
    │   ├── NotSupported
    │   ├── AnswerRunning
    │   ├── RouteInvalid
    │   └── AttachmentError
    │       ├── NotText
    │       ├── AttachmentTooLarge
    │       └── TooManyAttachments
    ├── ModelError              the model, or its process, cannot answer
    │   ├── ModelNotFound
    │   ├── ModelFileInvalid
    │   ├── ModelUnsupported
    │   ├── ModelTooLarge
    │   ├── ModelLoadFailed
    │   ├── ModelDied
    │   ├── AnswerBroken
    │   ├── ModelUnstable
    │   └── ModelBusy
    ├── ProviderError           an endpoint cannot be reached, or does not answer as it should
    │   ├── AddressInvalid
    │   ├── KeyUnusable
    │   ├── KeyringUnavailable
    │   ├── ProviderUnreachable
    │   ├── ProviderUntrusted
    │   ├── ProviderRedirects
    │   ├── ProviderTimedOut
    │   ├── KeyRefused
    │   │   └── KeyMissing
    │   ├── CreditUsedUp
    │   ├── AccessForbidden
    │   ├── EndpointNotFound
    │   ├── RateLimited
    │   │   └── RateLimitedFor
    │   ├── RequestRejected
    │   ├── ProviderFailed
    │   ├── ProviderSetAside
    │   ├── AnswerMalformed
    │   ├── AnswerCut
    │   ├── AnswerAtOnce
    │   └── UsageMissing
    ├── NotPermitted            what a person decided does not allow it
    │   ├── LocalOnly
    │   ├── BudgetSpent
    │   └── PriceUnknown
    ├── ApiError                a program's request that our API does not take
    │   ├── BodyInvalid
    │   ├── BodyTooLarge
    │   ├── ParameterUnsupported
    │   ├── PathUnknown
    │   ├── ApiClosed
    │   ├── ApiKeyWrong
    │   ├── OriginForeign
    │   ├── HostForeign
    │   └── AddressTaken
    ├── ArenaError              models cannot be compared so, or a vote does not count
    │   ├── PanesOutOfRange
    │   ├── TooFewModels
    │   ├── NoPair
    │   │   └── NoPairOfSizes
    │   ├── PairAlike
    │   ├── RouteInDuel
    │   ├── VoteTooEarly
    │   └── DuelOver
    ├── BatchError              a batch, or prompts for one, that cannot be had as they stand
    │   ├── BatchEmpty
    │   ├── BatchTooLarge
    │   ├── PromptsUnreadable
    │   │   ├── PromptsUnreadableAt
    │   │   ├── PromptsTooLarge
    │   │   ├── ColumnsWrong
    │   │   └── NoPrompts
    │   ├── CheckInvalid
    │   │   └── CheckInvalidAt
    │   └── VerdictUnclear
    ├── ClassroomError          a vote of a class that cannot be opened, or not be taken part in
    │   ├── AnswersMissing
    │   ├── ClassHasVoted
    │   ├── PollsFull
    │   ├── PollClosed
    │   ├── DeviceUnknown
    │   ├── BallotInvalid
    │   ├── TooManyBallots
    │   ├── AskedTooOften
    │   └── AddressForeign
    ├── MeasureError            a model cannot be measured so
    │   ├── LogitsInvalid
    │   ├── MeasureDied
    │   ├── NoSpaceToMeasure
    │   ├── NothingToMeasure
    │   ├── ReferenceBusy
    │   ├── TextTooShort
    │   ├── TextUnreadable
    │   └── VocabulariesDiffer
    ├── HubError                the Hugging Face Hub cannot be asked, or a download cannot be kept
    │   ├── HubOffline
    │   ├── HubUnreachable
    │   ├── HubGated
    │   ├── HubTokenRefused
    │   ├── HubNotFound
    │   ├── NameInvalid
    │   ├── PartsMissing
    │   ├── HubBusy
    │   ├── HubFailed
    │   ├── HubLeadsAstray
    │   ├── DownloadBroken
    │   ├── DownloadDamaged
    │   ├── DownloadRunning
    │   ├── DownloadTooLarge
    │   ├── DiskTooSmall
    │   └── FolderUnusable
    ├── TransferError           a file of conversations cannot be read
    │   ├── ImportInvalid
    │   ├── ImportUnknown
    │   ├── ImportFromFuture
    │   └── ImportTooLarge
    ├── QuantizeError           a quantized file cannot be made
    │   ├── AlreadyQuantized
    │   ├── ImatrixNeeded
    │   ├── ImatrixInvalid
    │   ├── DiskTooFull
    │   ├── TargetExists
    │   ├── TargetBusy
    │   ├── TargetUnwritable
    │   ├── SourceChanged
    │   └── QuantizeFailed
    ├── VotesError              a file of votes cannot be read
    │   ├── VotesUnreadable
    │   ├── VotesColumnsMissing
    │   ├── VotesUnknown
    │   ├── VotesTooLarge
    │   └── VotesTooMany
    ├── DocumentsError          documents cannot be read, embedded or searched
    │   ├── DocumentUnreadable
    │   │   ├── DocumentEncrypted
    │   │   ├── DocumentScanned
    │   │   ├── DocumentEmpty
    │   │   ├── DocumentTooLarge
    │   │   ├── DocumentTooSlow
    │   │   ├── FormatUnknown
    │   │   └── PageRefused
    │   ├── TooManyFiles
    │   ├── EmbeddingMissing
    │   ├── EmbeddingFailed
    │   ├── ChunkingInvalid
    │   └── IndexFailed
    ├── SearchError             documents cannot be searched, asked or measured so
    │   ├── NothingToSearch
    │   ├── RerankerUnusable
    │   ├── WholeTooLong
    │   └── QuestionSetUnreadable
    └── StoreError              what is kept cannot be read or written
        ├── NotThere
        └── StoreUnavailable

Each class says what happened (`message`) and what to do (`hint`), as English templates filled with the keyword
arguments it is raised with: `raise ModelNotFound(model="phi.gguf")`. The templates are msgids of the catalogues in
locales/, so a page shows them in the reader's language; `str(error)` is English.
"""

from __future__ import annotations

from core.errors.api import *
from core.errors.arena import *
from core.errors.base import *
from core.errors.batch import *
from core.errors.classroom import *
from core.errors.hub import *
from core.errors.kept import *
from core.errors.measure import *
from core.errors.model import *
from core.errors.provider import *
from core.errors.quantizing import *
from core.errors.rag import *
from core.errors.rag_search import *
from core.errors.request import *
from core.errors.route import *
from core.errors.votes import *
