// Wires the page once; everything else receives what it needs.

import {createActions} from './actions.js';
import {createApi, listsOf} from './api.js';
import {mountCompare} from './compare/index.js';
import {bindHistory} from './history.js';
import {bindKeyboard} from './keyboard.js';
import {startPlayback} from './playback.js';
import {mountChangeLine} from './shell/change_line.js';
import {keepClearOf} from './shell/clear_of_bar.js';
import {conventionsPanel} from './shell/conventions.js';
import {exportMenu} from './shell/export.js';
import {helpPanel} from './shell/help.js';
import {singleKeysAct} from './shell/single_keys.js';
import {mountInputEditor} from './shell/input_editor.js';
import {mountSaidMoves} from './shell/said_moves.js';
import {mountSaidResult} from './shell/said_result.js';
import {mountNotices, mountResult, mountStage} from './shell/status.js';
import {bindTheme, rememberedTheme} from './shell/theme.js';
import {mountTimeline} from './shell/timeline.js';
import {trainDialog} from './shell/train_dialog.js';
import {mountTrainingBar} from './shell/training_bar.js';
import {mountToolbar} from './shell/toolbar.js';
import {mountUpload} from './shell/upload.js';
import {initialState} from './state.js';
import {createStore} from './store.js';
import {fetched} from './streams/fetched.js';
import {firstHere} from './streams/first_here.js';
import {threaded} from './streams/threaded.js';
import {fromHash} from './url_state.js';
import {mountViews} from './views/index.js';

/**
 * @param {string} selector
 * @returns {HTMLElement}
 */
function part(selector) {
  const found = /** @type {HTMLElement|null} */ (document.querySelector(selector));
  if (!found) throw new Error(`index.html has no ${selector}`);
  return found;
}

const {signal} = new AbortController();
const thread = /** @type {HTMLMetaElement} */ (part('meta[name="thread"]')).content;
const api = createApi(undefined, firstHere((path, init) => fetched(fetch, path, init), () => threaded(() => new Worker(thread))));
const store = createStore({...initialState(), theme: rememberedTheme()});
const actions = createActions({store, api, signal});

// First of all, so that the server computes while the page is built.
actions.start(fromHash(location.hash), listsOf(JSON.parse(part('#lists').textContent ?? '')));

bindTheme({store, signal});
const {chooseFile} = mountUpload(part('#upload-area'), {store, actions, signal});
mountNotices(part('#notices'), {store, actions, signal});
mountStage({stage: part('#stage'), views: part('#views')}, {store, actions, chooseFile, signal});
mountResult(part('#result'), {store, signal});
mountSaidResult(part('#said-result'), {store, signal});
mountSaidMoves(part('#said'), {store, signal});
mountChangeLine(part('#changes'), {store, actions, signal});
mountTimeline(part('#timeline'), {store, signal});
mountTrainingBar(part('#training-bar'), {store, actions, signal});
keepClearOf(part('.time-bar'), signal);

const views = mountViews(part('#views'), {store, actions, signal});
const showCompare = mountCompare(part('#compare'), {store, api, actions, signal});
const showHelp = helpPanel();
mountToolbar(part('#toolbar'), {
  store,
  actions,
  signal,
  chooseFile,
  showHelp,
  showCompare,
  showAbout: conventionsPanel({store, actions}),
  showTrain: trainDialog({store, api, actions, signal}),
  editInput: mountInputEditor(part('#editor'), {store, actions, signal}),
  exportMenu: exportMenu({store, api, actions, views: () => views, signal}),
});
bindKeyboard({store, showHelp, fork: actions.fork, singleKeysAct, signal});
startPlayback({store, signal});
bindHistory({store, actions, signal});
